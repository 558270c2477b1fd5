from vaelib.training.recipes import RECIPES


def test_original_is_the_protocol_of_the_original_report():
    recipe = RECIPES["original"]
    assert (recipe.batch_size, recipe.epochs, recipe.patience) == (128, 50, 3)
    assert (recipe.learning_rate, recipe.schedule) == (1e-3, "constant")


def test_report_differs_in_optimiser_schedule_and_batches_only():
    original, report = RECIPES["original"], RECIPES["report"]
    assert (report.patience, report.data) == (original.patience, "mnist")


def test_only_the_recipe_for_tests_uses_synthetic_digits():
    assert [name for name, recipe in RECIPES.items() if recipe.data == "synthetic"] == ["smoke"]
