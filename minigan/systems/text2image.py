"""Text to image: a sentence says what is to be drawn.

    python -m minigan train text2image
    python -m minigan draw runs/text2image --text "a red seven at the left"
    python -m minigan measure runs/text2image --control

Algorithm (Reed et al. 2016, Algorithm 1, GAN-CLS; `minigan.gan.GANCLS`): D shall tell whether a
picture is real and whether it is what its text says. With t the text of x, t' another picture's:

    D ascends   E log D(x, t) + [E log(1 - D(x, t')) + E log(1 - D(G(z, t), t))] / 2
    G descends  -E log D(G(z, t), t)

The second term is why D looks at the text: without it (--mismatched none) D could be content with
pictures that are real, whatever they show. t' is any other text of the batch; with --mismatched
near the one that has most words in common with t. Two things are younger than the paper: D is held
back by R1 (Mescheder et al. 2018, --r1), and weighs words by a projection (Miyato and Koyama 2018).
A text becomes the sum of its words' vectors and a linear layer; G and D learn one each. The
pictures are digits, coloured, large or small, somewhere in the picture, and their texts ("a small
blue two at the top"); a tenth of the combinations of digit, colour, place and size is held out.
Others: --dataset emoji, with their names (OpenMoji, CC BY-SA 4.0), and own pictures, a .csv or
.json of file and caption.

What to look at: samples/*.png, texts and what is drawn of them. What shows that it works: a network
that never saw the run tells digit, colour, place and size of each sample; they are those of the
text, also for combinations that no training picture had; and Frechet distance of its features.
Control: the texts are shuffled among the pictures, so that they say nothing.
"""

from __future__ import annotations

from ..data.captions import encoded
from ..gan.text import GANCLS, TextDiscriminator, TextEncoder, TextGenerator, drawing
from .captions import OfCaptions


class Text2Image(OfCaptions):
    """Pictures of what a text says."""

    paper = (
        "Reed, Akata, Yan, Logeswaran, Schiele, Lee 2016, Generative Adversarial Text to Image "
        "Synthesis, arXiv:1605.05396"
    )
    control = "the texts are shuffled among the pictures"

    def shuffles(self, c):
        return c.control

    def game(self, c):
        shape, words = tuple(c.image_shape), len(c.vocabulary)
        network = drawing(c.latent_dim + c.codes, shape, c.features)
        G = TextGenerator(TextEncoder(words, c.codes, c.codes), network)
        D = TextDiscriminator(TextEncoder(words, c.codes, c.codes), shape, c.d_features)
        texts = encoded(c.prompts, c.vocabulary)
        return GANCLS(G, D, c.vocabulary, texts, c.latent_dim, c.mismatched, r1=c.r1)
