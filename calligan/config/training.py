"""A training run: losses, disturbed pairs, stages, optimizer, and how they go together."""

from dataclasses import dataclass, field
from itertools import pairwise

from calligan.config.checks import require, require_at_least, require_one_of
from calligan.config.networks import DiscriminatorConfig, GeneratorConfig
from calligan.config.rules import DISCRIMINATOR_RULES, OBJECTIVE_RULES, check_choices

DEVICES = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True)
class LossConfig:
    """One weight a term."""

    bce: float = 0.0  # binary cross-entropy of ink, a pixel: blurs, see docs/experiments.md
    l1: float = 1.0  # mean L1 of ink, or of distance where that is drawn, over `scales`
    scales: tuple[int, ...] = (1, 2, 4, 8)  # average-pooling factors of the L1 term
    objective: str = "hinge"  # one of OBJECTIVE_RULES
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
        require_one_of(self, "loss", objective=OBJECTIVE_RULES)
        ok = bool(self.scales) and all(scale >= 1 for scale in self.scales)
        require(ok, "loss.scales", self.scales, "one or more numbers from 1")
        weights = ["bce", "l1", "adversarial", "feature_matching", "adversarial_reconstruction"]
        weights += ["wrong_style", "wrong_character", "category", "cycle", "kl", "constancy"]
        weights += ["reader"]
        require_at_least(self, "loss", **dict.fromkeys(weights, 0))
        require(
            self.penalty is None or self.penalty >= 0, "loss.penalty", self.penalty, "0 or more"
        )
        moves = self.n_critic is None or self.n_critic >= 1
        require(moves, "loss.n_critic", self.n_critic, "1 or more")


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
        require_at_least(self, "augment", amount=0, turn_deg=0, stretch=0, slant=0, shift=0, warp=0)
        require_at_least(self, "augment", warp_knots=2, weight=0)


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
        require(0 < self.share <= 1, "stages.share", self.share, "0 to 1")
        require_at_least(self, "stages", size_px=8, learning_rate=0, learning_rate_end=0, augment=0)


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
        require_one_of(self, "optimizer", moves=MOVES)
        require_at_least(self, "optimizer", muon_rate=0, discriminator_rate=0, weight_decay=0)
        require_at_least(self, "optimizer", momentum=0, gradient_norm=1e-6)
        for name in ("betas", "discriminator_betas"):
            value = getattr(self, name)
            ok = len(value) == 2 and all(0 <= beta < 1 for beta in value)
            require(ok, f"optimizer.{name}", value, "two numbers from 0 to 1")


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
        self._validate_fields()
        for stage in self.stages:
            stage.validate()
        self.generator.validate()
        self.discriminator.validate()
        self.loss.validate()
        self.optimizer.validate()
        self.augment.validate()
        self._validate_losses()
        sizes_px = [stage.size_px for stage in self.stages]
        grows = all(b % a == 0 and (b // a).bit_count() == 1 for a, b in pairwise(sizes_px))
        wanted = "sizes that stay or double from stage to stage"
        require(grows, "stages.size_px", sizes_px, wanted)
        check_choices(self, sizes_px)
        self._validate_divisors(sizes_px)

    def _validate_fields(self) -> None:
        """The fields of this table alone."""
        require_at_least(self, "", batch_size=1, warmup_steps=0)
        require_at_least(self, "", log_every_steps=1, keep_every_steps=1)
        require_at_least(self, "", eval_chars=1, sample_chars=1, styles_per_char=1)
        whole = self.batch_size % self.styles_per_char == 0
        wanted = f"a multiple of styles_per_char ({self.styles_per_char})"
        require(whole, "batch_size", self.batch_size, wanted)
        require(0 <= self.seed < 2**63, "seed", self.seed, "0 to 2^63")
        require(0 <= self.ema_decay < 1, "ema_decay", self.ema_decay, "0 to 1")
        workers = self.workers is None or 0 <= self.workers <= 64
        require(workers, "workers", self.workers, "0 to 64")
        threads = self.threads is None or self.threads >= 1
        require(threads, "threads", self.threads, "1 or more")
        require(self.steps is None or self.steps >= 1, "steps", self.steps, "1 or more")
        require(self.minutes is None or self.minutes > 0, "minutes", self.minutes, "more than 0")
        one = (self.steps is None) != (self.minutes is None)
        require(one, "steps and minutes", (self.steps, self.minutes), "one of the two")
        require(bool(self.stages), "stages", self.stages, "at least one stage")
        total = sum(stage.share for stage in self.stages)
        require(abs(total - 1) < 1e-6, "stages' shares", total, "a sum of 1")
        require_one_of(self, "", device=DEVICES, precision=("auto", "fp32", "bf16"))

    def _validate_losses(self) -> None:
        """Losses that need another setting."""
        rules = DISCRIMINATOR_RULES[self.discriminator.kind]
        named = rules.names_styles or self.discriminator.names_styles
        wanted = "0 unless discriminator.names_styles is true, or discriminator.kind is zi2zi"
        require(named or self.loss.category == 0, "loss.category", self.loss.category, wanted)
        drawn_back = self.any_source or self.loss.cycle == 0
        require(drawn_back, "loss.cycle", self.loss.cycle, "0 unless any_source is true")
        if self.generator.output == "distance":
            wanted = "0 with generator.output distance"
            require(self.loss.bce == 0, "loss.bce", self.loss.bce, wanted)

    def _validate_divisors(self, sizes_px: list[int]) -> None:
        """Windows and pooled images of whole cells and pixels at every stage."""
        crop, grid = self.discriminator.crop_px, self.discriminator.grid
        fits = all(crop <= size and crop % max(1, size // grid) == 0 for size in sizes_px)
        wanted = "no larger than any stage, and whole cells of discriminator.grid"
        require(fits, "discriminator.crop_px", crop, wanted)
        fits = all(min(sizes_px) % scale == 0 for scale in self.loss.scales)
        require(fits, "loss.scales", self.loss.scales, f"divisors of {min(sizes_px)}")
