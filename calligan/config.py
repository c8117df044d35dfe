"""Every tunable, once. Precedence: command-line flag > TOML file > the defaults here."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from calligan.errors import ConfigError


@dataclass(frozen=True)
class RasterConfig:
    """How glyphs are placed on their canvas; fixed for a data folder."""

    size_px: int = 128  # canvas edge
    extent: float = 0.80  # median of max(width, height) of a font's ink, as a share of the canvas
    reach: float = 0.96  # 99 % of a font's glyphs lie within this share of the canvas
    sampled_chars: int = 300  # characters measured to place a font
    min_ink: float = 0.001  # a glyph with ink on no more of the canvas than this is blank

    def validate(self) -> None:
        """Raise ConfigError naming the first field that makes no sense."""
        _require(16 <= self.size_px <= 1024, "raster.size_px", self.size_px, "16 to 1024")
        _require(0.2 <= self.extent <= 1, "raster.extent", self.extent, "0.2 to 1")
        _require(0.2 <= self.reach <= 1, "raster.reach", self.reach, "0.2 to 1")


@dataclass(frozen=True)
class SplitConfig:
    """Which characters are held out of every style; a pure function of seed and codepoint."""

    seed: int = 0
    validation: float = 0.025  # share used to choose checkpoints and to draw samples
    test: float = 0.05  # share that nothing but `evaluate` ever looks at

    def validate(self) -> None:
        """Raise ConfigError naming the first field that makes no sense."""
        _require(0 < self.validation < 0.5, "split.validation", self.validation, "0 to 0.5")
        _require(0 <= self.test < 0.5, "split.test", self.test, "0 to 0.5")


@dataclass(frozen=True)
class TraceConfig:
    """How grey glyphs become outlines."""

    tolerance_em: float = 0.0025  # a curve strays no further from the iso-line
    corner_deg: float = 50.0  # the line turns by no less at a corner
    corner_reach_px: float = 2.5  # looking so far on either side
    step_px: float = 0.5  # between the points that are looked at
    speck_px2: float = 1.5  # no smaller area is ink, or a hole

    def validate(self) -> None:
        """Raise ConfigError naming the first field that makes no sense."""
        _at_least(self, "trace", tolerance_em=1e-4, step_px=0.1, corner_reach_px=0.5, speck_px2=0)
        _require(self.tolerance_em <= 0.05, "trace.tolerance_em", self.tolerance_em, "0.05 or less")
        _require(10 <= self.corner_deg < 180, "trace.corner_deg", self.corner_deg, "10 to 180")


DEVICES = ("auto", "cpu", "cuda", "mps")
NETWORKS = ("calligan", "zi2zi", "pix2pix", "noise")  # the names in models/networks.py
DISCRIMINATORS = ("calligan", "zi2zi", "pix2pix", "autoencoder")  # likewise


@dataclass(frozen=True)
class GeneratorConfig:
    """A residual U-Net over patches; work is done on a grid, whatever the image size.

    The forebears' networks (`kind`) take only `style_dim` from here: zi2zi's embedding.
    """

    kind: str = "calligan"  # one of NETWORKS
    grid: int = 32  # the image is folded to grid x grid cells before the first convolution
    widths: tuple[int, ...] = (32, 64, 128, 256)  # channels at each halving of the grid
    encoder_blocks: int = 1  # residual blocks a level on the way down, where no style is known
    blocks: int = 1  # and on the way up
    style_dim: int = 64  # length of the style embedding
    noise_dim: int = 64  # of kind noise, which draws from a character's number
    classes: int = 0  # the characters it knows; set by the data
    embedding: str = "learned"  # fixed: a Gaussian, as zi2zi's; gaussian: a style is one (VAE)
    output: str = "ink"  # what is drawn: ink logits, or signed distance (models/distance.py)

    def validate(self) -> None:
        """Raise ConfigError naming the first field that makes no sense."""
        names = ", ".join(NETWORKS)
        _require(self.kind in NETWORKS, "generator.kind", self.kind, f"one of {names}")
        kinds = ("learned", "fixed", "gaussian")
        wanted = f"one of {', '.join(kinds)}"
        _require(self.embedding in kinds, "generator.embedding", self.embedding, wanted)
        told = self.output == "ink" or (self.output == "distance" and self.kind == "calligan")
        wanted = "ink, or distance with generator.kind calligan"
        _require(told, "generator.output", self.output, wanted)
        ok = len(self.widths) >= 2 and all(w > 0 and w % 8 == 0 for w in self.widths)
        _require(ok, "generator.widths", self.widths, "two or more multiples of 8")
        _at_least(self, "generator", grid=1, encoder_blocks=1, blocks=1, style_dim=1)
        coarsest = 2 ** (len(self.widths) - 1)
        fits = self.grid % coarsest == 0
        _require(fits, "generator.grid", self.grid, f"a multiple of {coarsest}")


@dataclass(frozen=True)
class DiscriminatorConfig:
    """A projection PatchGAN over (source, glyph) pairs.

    The forebears' networks (`kind`) take nothing else from here.
    """

    kind: str = "calligan"  # one of DISCRIMINATORS
    grid: int = 32
    widths: tuple[int, ...] = (48, 96, 192)  # channels; each after the first halves the grid
    spectral_norm: bool = False  # calmer games, duller edges: see docs/experiments.md
    scales: int = 1  # copies of the network, each looking at a smaller image than the one before
    scale_step: int = 2  # how many times smaller
    crop_px: int = 0  # the first of them looks through windows of this edge; 0 shows it everything
    heads: str = "joint"  # apart: "is it real" and "does it fit" are scored by themselves
    names_styles: bool = False  # a head more, which names the style of a glyph

    def validate(self) -> None:
        """Raise ConfigError naming the first field that makes no sense."""
        names = ", ".join(DISCRIMINATORS)
        _require(self.kind in DISCRIMINATORS, "discriminator.kind", self.kind, f"one of {names}")
        ok = len(self.widths) >= 2 and min(self.widths) >= 1
        _require(ok, "discriminator.widths", self.widths, "two or more numbers from 1")
        _require(1 <= self.scales <= 3, "discriminator.scales", self.scales, "1 to 3")
        heads = self.heads in ("joint", "apart")
        _require(heads, "discriminator.heads", self.heads, "joint or apart")
        _require(self.scale_step in (2, 4), "discriminator.scale_step", self.scale_step, "2 or 4")
        _require(self.crop_px >= 0, "discriminator.crop_px", self.crop_px, "0 or more")
        least = 2 ** (len(self.widths) - 1) * self.scale_step ** (self.scales - 1)
        _require(self.grid >= least, "discriminator.grid", self.grid, f"{least} or more")


# The names in training/objectives.py.
OBJECTIVES = (
    *("none", "minimax", "vanilla", "lsgan", "wgan", "wgan-gp", "hinge", "dragan", "ebgan"),
    *("relativistic", "f-kl", "f-reverse-kl", "f-pearson", "f-hellinger", "f-js"),
)


@dataclass(frozen=True)
class LossConfig:
    """One weight a term."""

    bce: float = 0.0  # binary cross-entropy of ink, a pixel: blurs, see docs/experiments.md
    l1: float = 1.0  # mean L1 of ink, or of distance where that is drawn, over `scales`
    scales: tuple[int, ...] = (1, 2, 4, 8)  # average-pooling factors of the L1 term
    objective: str = "hinge"  # one of OBJECTIVES
    adversarial: float = 0.2  # generator's adversarial term
    penalty: float | None = None  # weight of the objective's, else of R1; None is its paper's
    n_critic: int | None = None  # discriminator's moves to one of the generator; likewise
    feature_matching: float = 4.0  # L1 between discriminator features (Wang et al. 2018)
    adversarial_reconstruction: float = 0.5  # factor on bce and l1 in an adversarial stage
    wrong_style: float = 0.5  # real glyph under a wrong style, as a negative (Reed et al. 2016)
    wrong_character: float = 0.0  # real glyph beside another character's source, likewise
    category: float = 0.0  # naming the style of a glyph, where the discriminator can (zi2zi)
    cycle: float = 0.0  # L1 of a glyph drawn back in the style it came from (StarGAN)
    kl: float = 0.01  # of Gaussian styles from N(0, 1), where generator.embedding is gaussian
    constancy: float = 0.0  # the drawn glyph's encoding is the source's (zi2zi, after DTN)
    reader: float = 0.0  # the reader that ships with calligan finds the character right and whole
    label_shuffling: bool = False  # each source also drawn in a wrong style, L1 aside (zi2zi)

    def validate(self) -> None:
        """Raise ConfigError naming the first field that makes no sense."""
        names = ", ".join(OBJECTIVES)
        _require(self.objective in OBJECTIVES, "loss.objective", self.objective, f"one of {names}")
        ok = bool(self.scales) and all(scale >= 1 for scale in self.scales)
        _require(ok, "loss.scales", self.scales, "one or more numbers from 1")
        weights = ["bce", "l1", "adversarial", "feature_matching", "adversarial_reconstruction"]
        weights += ["wrong_style", "wrong_character", "category", "cycle", "kl", "constancy"]
        weights += ["reader"]
        _at_least(self, "loss", **dict.fromkeys(weights, 0))
        _require(
            self.penalty is None or self.penalty >= 0, "loss.penalty", self.penalty, "0 or more"
        )
        moves = self.n_critic is None or self.n_critic >= 1
        _require(moves, "loss.n_critic", self.n_critic, "1 or more")


@dataclass(frozen=True)
class AugmentConfig:
    """How far training pairs are disturbed, at most (training/augment.py).

    Few glyphs need it, lest they be learned by heart; many are better left as they are, since
    disturbed pairs teach disturbed strokes (docs/experiments.md).
    """

    weight: float = 0.25  # share of a pixel's ink that the source's edges move by
    amount: float = 0.0  # factor on all below, which move source and target together
    turn_deg: float = 3.0
    stretch: float = 0.08  # of width and of height, by themselves
    slant: float = 0.06
    shift: float = 0.04  # share of the canvas
    warp: float = 0.012  # standard deviation of a smooth displacement, share of the canvas
    warp_knots: int = 4  # random displacements a side, smoothly between

    def validate(self) -> None:
        """Raise ConfigError naming the first field that makes no sense."""
        _at_least(self, "augment", amount=0, turn_deg=0, stretch=0, slant=0, shift=0, warp=0)
        _at_least(self, "augment", warp_knots=2, weight=0)


@dataclass(frozen=True)
class StageConfig:
    """A part of a training run. Shares add up to 1."""

    share: float  # of the whole run, in steps or in time
    size_px: int
    adversarial: bool
    learning_rate: float  # at the stage's start
    learning_rate_end: float  # at its end; cosine between
    augment: float = 1.0  # factor on augment.amount

    def validate(self) -> None:
        """Raise ConfigError naming the first field that makes no sense."""
        _require(0 < self.share <= 1, "stages.share", self.share, "0 to 1")
        _at_least(self, "stages", size_px=8, learning_rate=0, learning_rate_end=0, augment=0)


DEFAULT_STAGES = (
    StageConfig(0.40, 64, False, 2e-3, 1e-3),
    StageConfig(0.25, 128, False, 1e-3, 4e-4),
    StageConfig(0.35, 128, True, 6e-4, 5e-5),
)


# Which of the generator's weights learn: a few glyphs should not move much. Each holds the next:
# the part that knows the style, what the style does to it, and the style's embedding alone.
MOVES = ("all", "decoder", "modulation", "style")


@dataclass(frozen=True)
class OptimizerConfig:
    """Muon for the generator's convolutions, AdamW for everything else."""

    moves: str = "all"  # one of MOVES
    muon_rate: float = 10.0  # Muon's learning rate over the stage's; 0 leaves all to AdamW
    momentum: float = 0.95  # of Muon
    discriminator_rate: float = 1.0  # the discriminator's learning rate over the stage's
    weight_decay: float = 0.01
    gradient_norm: float = 1.0  # clipped to this
    betas: tuple[float, float] = (0.9, 0.99)  # AdamW's, for the generator
    discriminator_betas: tuple[float, float] = (0.5, 0.99)

    def validate(self) -> None:
        """Raise ConfigError naming the first field that makes no sense."""
        wanted = f"one of {', '.join(MOVES)}"
        _require(self.moves in MOVES, "optimizer.moves", self.moves, wanted)
        _at_least(self, "optimizer", muon_rate=0, discriminator_rate=0, weight_decay=0)
        _at_least(self, "optimizer", momentum=0, gradient_norm=1e-6)
        for name in ("betas", "discriminator_betas"):
            value = getattr(self, name)
            ok = len(value) == 2 and all(0 <= beta < 1 for beta in value)
            _require(ok, f"optimizer.{name}", value, "two numbers from 0 to 1")


@dataclass(frozen=True)
class TrainConfig:
    """A training run."""

    seed: int = 0
    batch_size: int = 64  # glyphs a step
    styles_per_char: int = 4  # of them drawn from one source glyph, which is encoded once
    any_source: bool = False  # source glyphs come from the styles too: from any hand to any other
    steps: int | None = None  # the run's length in steps, or
    minutes: float | None = 30.0  # in minutes of training
    stages: tuple[StageConfig, ...] = DEFAULT_STAGES
    warmup_steps: int = 50  # at the start of each stage
    ema_decay: float = 0.999
    log_every_steps: int = 5
    keep_every_steps: int = 200  # evaluate, draw samples, write models and a checkpoint
    eval_chars: int = 48  # validation characters a style, in each evaluation
    sample_chars: int = 8  # of them in the sample sheet
    device: str = "auto"  # auto | cpu | cuda | mps
    precision: str = "auto"  # auto | fp32 | bf16
    compile: bool = False  # torch.compile; slower on CPUs where it was measured
    threads: int | None = None  # CPU threads of torch; None leaves torch's choice
    workers: int | None = None  # processes that make batches ahead; None: 2 for a GPU, else none
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)

    def validate(self) -> None:
        """Raise ConfigError naming the first field that makes no sense."""
        _at_least(self, "", batch_size=1, warmup_steps=0, log_every_steps=1, keep_every_steps=1)
        _at_least(self, "", eval_chars=1, sample_chars=1, styles_per_char=1)
        whole = self.batch_size % self.styles_per_char == 0
        wanted = f"a multiple of styles_per_char ({self.styles_per_char})"
        _require(whole, "batch_size", self.batch_size, wanted)
        _require(0 <= self.seed < 2**63, "seed", self.seed, "0 to 2^63")
        _require(0 <= self.ema_decay < 1, "ema_decay", self.ema_decay, "0 to 1")
        workers = self.workers is None or 0 <= self.workers <= 64
        _require(workers, "workers", self.workers, "0 to 64")
        threads = self.threads is None or self.threads >= 1
        _require(threads, "threads", self.threads, "1 or more")
        _require(self.steps is None or self.steps >= 1, "steps", self.steps, "1 or more")
        _require(self.minutes is None or self.minutes > 0, "minutes", self.minutes, "more than 0")
        one = (self.steps is None) != (self.minutes is None)
        _require(one, "steps and minutes", (self.steps, self.minutes), "one of the two")
        _require(bool(self.stages), "stages", self.stages, "at least one stage")
        total = sum(stage.share for stage in self.stages)
        _require(abs(total - 1) < 1e-6, "stages' shares", total, "a sum of 1")
        _require(
            self.device in DEVICES,
            "device",
            self.device,
            "auto, cpu, cuda or mps",
        )
        _require(
            self.precision in ("auto", "fp32", "bf16"),
            "precision",
            self.precision,
            "auto, fp32 or bf16",
        )
        for stage in self.stages:
            stage.validate()
        self.generator.validate()
        self.discriminator.validate()
        self.loss.validate()
        self.optimizer.validate()
        self.augment.validate()
        named = self.discriminator.kind == "zi2zi" or self.discriminator.names_styles
        wanted = "0 unless discriminator.names_styles is true, or discriminator.kind is zi2zi"
        _require(named or self.loss.category == 0, "loss.category", self.loss.category, wanted)
        told = self.any_source or self.loss.cycle == 0
        _require(told, "loss.cycle", self.loss.cycle, "0 unless any_source is true")
        if self.generator.output == "distance":
            _require(self.loss.bce == 0, "loss.bce", self.loss.bce, "0 where distance is drawn")
        self._validate_game()
        self._validate_sizes()

    def _validate_game(self) -> None:
        """Objectives and discriminators that cannot go together, with the reason."""
        kind, objective = self.discriminator.kind, self.loss.objective
        clipped = objective == "wgan" and kind == "calligan" and self.discriminator.spectral_norm
        wanted = "false with wgan: clipping and spectral norm both bound the weights, one against "
        spectral = self.discriminator.spectral_norm
        _require(not clipped, "discriminator.spectral_norm", spectral, wanted + "the other")
        moves = self.optimizer.moves
        ours = moves == "all" or self.generator.kind == "calligan"
        _require(ours, "optimizer.moves", moves, "all with the networks of others")
        if self.generator.kind == "noise":
            without = ("l1", "bce", "constancy", "cycle")
            for name in without:
                value = getattr(self.loss, name)
                wanted = "0 with generator.kind noise, which has no source to rebuild"
                _require(value == 0, f"loss.{name}", value, wanted)
            played = all(stage.adversarial for stage in self.stages)
            _require(played, "stages.adversarial", False, "true with generator.kind noise")
        if kind != "calligan":
            ours_alone = {"spectral_norm": False, "scales": 1, "heads": "joint", "crop_px": 0}
            for name, default in {**ours_alone, "names_styles": False}.items():
                value, wanted = getattr(self.discriminator, name), f"{default} with kind {kind}"
                _require(value == default, f"discriminator.{name}", value, wanted.lower())
        if kind in ("zi2zi", "pix2pix"):
            told, wanted = self.loss.wrong_style, f"0 with discriminator.kind {kind}, blind to it"
            _require(told == 0, "loss.wrong_style", told, wanted)
        if objective == "none":
            penalty, wanted = self.loss.penalty, "left out with objective none: there is no critic"
            _require(penalty is None, "loss.penalty", penalty, wanted)
        energy = (objective == "ebgan") == (kind == "autoencoder")
        wanted = "autoencoder with ebgan, whose scores are its errors, and only then"
        _require(energy, "discriminator.kind", kind, wanted)

    def _validate_sizes(self) -> None:
        """Stages keep their size or double it, and every part can work at each."""
        sizes = [stage.size_px for stage in self.stages]
        grows = all(b % a == 0 and (b // a).bit_count() == 1 for a, b in pairwise(sizes))
        _require(grows, "stages.size_px", sizes, "sizes that stay or double from stage to stage")
        networks = (("generator", self.generator), ("discriminator", self.discriminator))
        for name, network in networks:
            if network.kind == "noise":
                grid = 4 << (len(self.generator.widths) - 1)
                fits = len(set(sizes)) == 1 and sizes[0] % grid == 0
                wanted = f"one multiple of {grid} (4 cells, doubled at each of generator.widths)"
            elif network.kind in ("calligan", "autoencoder"):
                fits = all(size % network.grid == 0 for size in sizes)
                wanted = f"multiples of {name}.grid ({network.grid})"
            else:
                fits = len(set(sizes)) == 1 and sizes[0] >= 32 and sizes[0].bit_count() == 1
                wanted = f"one power of two from 32, for {name}.kind {network.kind}"
            _require(fits, "stages.size_px", sizes, wanted)
        crop, grid = self.discriminator.crop_px, self.discriminator.grid
        fits = all(crop <= size and crop % max(1, size // grid) == 0 for size in sizes)
        wanted = "no larger than any stage, and whole cells of discriminator.grid"
        _require(fits, "discriminator.crop_px", crop, wanted)
        fits = all(min(sizes) % scale == 0 for scale in self.loss.scales)
        _require(fits, "loss.scales", self.loss.scales, f"divisors of {min(sizes)}")


def _at_least(config: Any, where: str, **least: float) -> None:
    """Require each named field of `config` to be no less than the number given."""
    for name, number in least.items():
        value = getattr(config, name)
        _require(value >= number, f"{where}.{name}".lstrip("."), value, f"{number} or more")


def _require(condition: bool, name: str, value: object, wanted: str) -> None:
    if not condition:
        raise ConfigError(f"setting {name} is {value}; it should be {wanted}")
