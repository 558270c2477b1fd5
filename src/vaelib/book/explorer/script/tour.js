/** A tour: the page's links to views, in their order; each stands in a sentence that explains it. */

export class Tour {
  /**
   * @param {(name: string) => HTMLElement} find looks a part of the markup up by its name
   * @param {string} mark begins the fragments of such links
   */
  constructor(find, mark) {
    this.find = find;
    this.mark = mark;
    const links = [...document.querySelectorAll(`a[href^="${mark}"]`)];
    this.steps = links.filter((link) => !link.closest(".explorer"));
    for (const [name, by] of [["previous", -1], ["next", 1]]) {
      find(name).addEventListener("click", () => this.steps[this.step + by]?.click());
    }
    find("end").addEventListener("click", () => (find("tour").hidden = true));
  }

  /** Show what is said at the link with a fragment; nothing if it is no step. */
  show(fragment) {
    this.step = this.steps.findIndex((link) => link.hash === fragment);
    this.find("tour").hidden = this.step < 0;
    if (this.step < 0) return;
    const said = this.steps[this.step].closest("li, p").cloneNode(true);
    said.querySelector(`a[href^="${this.mark}"]`).remove();
    this.find("words").textContent = said.textContent.trim();
    this.find("previous").disabled = this.step === 0;
    this.find("next").disabled = this.step === this.steps.length - 1;
  }
}
