"""Systems of the literature, each in one file: its paper's game, its networks, its data, what is
drawn and what is measured.

    python -m minigan list
    python -m minigan train cgan
    python -m minigan draw runs/cgan --label 7 --n 20 --out sevens
    python -m minigan measure runs/cgan --control

`SYSTEMS` names them; `load_game("runs/cgan")` gives a saved run's game back.
"""

from __future__ import annotations

import difflib
import importlib

from .loading import Loaded, load_game
from .system import Row, System

# name -> (module, class): one entry adds a system
SYSTEMS: dict[str, tuple[str, str]] = {
    "gan": ("switched", "Switched"),
    "dcgan": ("switched", "DCGAN"),
    "wgan-gp": ("switched", "WGANGP"),
    "lsgan": ("switched", "LSGAN"),
    "pacgan": ("switched", "PacGAN"),
    "ebgan": ("coded", "EBGAN"),
    "began": ("coded", "BEGAN"),
    "magan": ("coded", "MAGAN"),
    "unrolled": ("several", "Unrolled"),
    "madgan": ("several", "MADGAN"),
    "mrgan": ("several", "MRGAN"),
    "mdgan": ("several", "MDGAN"),
    "veegan": ("several", "VEEGAN"),
    "cgan": ("cgan", "CGAN"),
    "acgan": ("acgan", "ACGAN"),
    "infogan": ("infogan", "InfoGAN"),
    "ss-infogan": ("ss_infogan", "SSInfoGAN"),
    "k-plus-1": ("k_plus_1", "KPlus1"),
    "features": ("features", "Features"),
    "triple-gan": ("triple_gan", "TripleGAN"),
    "vae": ("vae", "VAE"),
    "vaegan": ("vaegan", "VAEGAN"),
    "completion": ("completion", "Completion"),
    "inference": ("inference", "Inference"),
    "pix2pix": ("pix2pix", "Pix2Pix"),
    "pan": ("pan", "PAN"),
    "cyclegan": ("cyclegan", "CycleGAN"),
    "cogan": ("cogan", "CoupledGAN"),
    "dann": ("dann", "DANN"),
    "arda": ("arda", "ARDA"),
    "steganography": ("steganography", "Steganography"),
    "srgan": ("srgan", "SRGAN"),
    "lsro": ("lsro", "LSRO"),
    "segan": ("segan", "SegAN"),
    "camstyle": ("camstyle", "CamStyle"),
    "pixelcnn": ("pixelcnn", "PixelCNNSystem"),
    "pixelrnn": ("pixelrnn", "PixelRNNSystem"),
    "replay": ("replay", "Replay"),
    "lapgan": ("lapgan", "LAPGAN"),
    "gogan": ("gogan", "GoGAN"),
    "progan": ("progan", "ProGAN"),
    "text2image": ("text2image", "Text2Image"),
    "stackgan": ("stackgan", "StackGAN"),
    "seqgan": ("seqgan", "SeqGAN"),
    "c-rnn-gan": ("c_rnn_gan", "CRNNGAN"),
    "organ": ("organ", "ORGAN"),
    "gail": ("gail", "GAIL"),
    "airl": ("airl", "AIRL"),
    "vaw-gan": ("vaw_gan", "VAWGAN"),
    "videogan": ("videogan", "VideoGAN"),
    "mocogan": ("mocogan", "MoCoGAN"),
    "posegan": ("posegan", "PoseGAN"),
}

__all__ = ["SYSTEMS", "Loaded", "Row", "System", "load_game", "system"]


def system(name: str) -> System:
    """The system of this name; ValueError, with the nearest name, where there is none."""
    if name not in SYSTEMS:
        near = difflib.get_close_matches(name, SYSTEMS, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"there is no system {name!r}{hint} (python -m minigan list shows all)")
    module, kind = SYSTEMS[name]
    found = getattr(importlib.import_module(f"{__name__}.{module}"), kind)()
    found.name = name
    return found
