"""The block cipher is the published one, compiled or not."""

import numpy as np
import pytest

from simulator.journey.keys import philox4x32

KNOWN = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]
"""Philox4x32-10 of Random123's kat_vectors (Salmon et al., SC 2011): counter, key, the block."""


def words(text):
    """Return 32-bit words written in hexadecimal."""
    return [np.uint64(int(word, 16)) for word in text.split()]


def textbook(counter, key):
    """Return all four words by the paper's own description, in Python's integers."""
    x, k = [int(word) for word in counter], [int(word) for word in key]
    for _ in range(10):
        left, right = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [
            (right >> 32) ^ x[1] ^ k[0],
            right & 0xFFFFFFFF,
            (left >> 32) ^ x[3] ^ k[1],
            left & 0xFFFFFFFF,
        ]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return x


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_known_answers(counter, key, answer):
    """The published known answers come out."""
    assert list(philox4x32(*words(counter), *words(key))) == words(answer)


def test_the_whole_block_of_the_textbook_is_the_published_one():
    """Our reading of the paper gives all four published words, so it may judge the compiled function."""
    counter, key, _ = KNOWN[2]
    assert textbook(words(counter), words(key)) == [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]


def test_any_block_is_the_textbook_one():
    """For any counter and key the compiled function gives the four words of the textbook."""
    blocks = np.random.default_rng(1).integers(0, 2**32, (300, 6), dtype=np.uint64)
    for block in blocks:
        assert list(philox4x32(*block)) == textbook(block[:4], block[4:])


def test_without_a_compiler_the_same_words_come_out():
    """The function is written so that plain Python computes the same 32-bit words."""
    plain = getattr(philox4x32, "py_func", philox4x32)
    for counter, key, answer in KNOWN:
        assert list(plain(*words(counter), *words(key))) == words(answer)
