"""The kernel of notebooks and chapters: IPython's, without start-up files of the machine."""

from ipykernel.kernelapp import IPKernelApp
from IPython.core import application, shellapp


def main() -> None:
    """Serve, as ``ipykernel_launcher`` does.

    Those of the user are out of reach, for ``IPYTHONDIR`` is a folder of the build.
    """
    for module in (application, shellapp):
        module.SYSTEM_CONFIG_DIRS.clear()  # such as /etc/ipython
        module.ENV_CONFIG_DIRS.clear()
    IPKernelApp.launch_instance()


if __name__ == "__main__":
    main()
