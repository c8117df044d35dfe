"""Settings of a training run: losses, augmentation, stages, optimizer, and checks across them."""

from dataclasses import dataclass, field
from itertools import pairwise

from calligan.config.checks import require, require_at_least, require_one_of
from calligan.config.networks import DiscriminatorConfig, GeneratorConfig
from calligan.config.rules import DISCRIMINATOR_RULES, OBJECTIVE_RULES, check_choices
from calligan.requests.drawing import DEVICES


@dataclass(frozen=True)
class LossConfig:
    """The weight of each loss term, and the objective's options."""

    bce: float = 0.0  # binary cross-entropy of ink per pixel; blurs, see docs/experiments.md
    l1: float = 1.0  # L1 of ink (or of distance, with output "distance"), averaged over `scales`
    scales: tuple[int, ...] = (1, 2, 4, 8)  # average-pooling factors of the L1 term
    objective: str = "hinge"  # one of OBJECTIVE_RULES
    adversarial: float = 0.2  # generator's adversarial term
    # Weight of the gradient penalty: the objective's own, or else R1. None: as published.
    penalty: float | None = None
    n_critic: int | None = None  # discriminator updates per generator update; None: as published
    feature_matching: float = 4.0  # L1 between discriminator features (Wang et al. 2018)
    adversarial_reconstruction: float = 0.5  # factor on bce and l1 in an adversarial stage
    wrong_style: float = 0.5  # real glyph under a wrong style, as a negative (Reed et al. 2016)
    wrong_character: float = 0.0  # real glyph with another character's source, as a negative
    category: float = 0.0  # style classification, if the discriminator has such a head (zi2zi)
    cycle: float = 0.0  # L1 of a glyph translated back to its own style (StarGAN)
    kl: float = 0.01  # KL of the styles from N(0, 1), with generator.embedding "gaussian"
    constancy: float = 0.0  # distance of the drawn glyph's encoding from the source's (zi2zi, DTN)
    reader: float = 0.0  # recognition loss by the reader that ships with calligan
    label_shuffling: bool = False  # also draw each source in a wrong style, without L1 (zi2zi)

    def validate(self) -> None:
        """Raise ConfigError naming the first invalid field."""
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
        updates_ok = self.n_critic is None or self.n_critic >= 1
        require(updates_ok, "loss.n_critic", self.n_critic, "1 or more")


@dataclass(frozen=True)
class AugmentConfig:
    """Maximum augmentation of training pairs (training/augment.py).

    With few glyphs it prevents overfitting. With many it does harm: distorted pairs teach
    distorted strokes (docs/experiments.md).
    """

    weight: float = 0.25  # stroke weight of the source: its edges move by this share of a pixel
    amount: float = 0.0  # factor on all below, which transform source and target alike
    turn_deg: float = 3.0
    stretch: float = 0.08  # of width and of height, independently
    slant: float = 0.06
    shift: float = 0.04  # share of the canvas
    warp: float = 0.012  # standard deviation of a smooth displacement, share of the canvas
    warp_knots: int = 4  # random displacements per side, interpolated smoothly

    def validate(self) -> None:
        """Raise ConfigError naming the first invalid field."""
        require_at_least(self, "augment", amount=0, turn_deg=0, stretch=0, slant=0, shift=0, warp=0)
        require_at_least(self, "augment", warp_knots=2, weight=0)


@dataclass(frozen=True)
class StageConfig:
    """A part of a training run. The shares of all stages add up to 1."""

    share: float  # of the whole run, in steps or in time
    size_px: int
    adversarial: bool
    learning_rate: float  # at the stage's start
    learning_rate_end: float  # at its end; cosine decay in between
    augment: float = 1.0  # factor on augment.amount
    min_step: int = 0  # of the run: until then the stage before goes on, at its last rate

    def validate(self) -> None:
        """Raise ConfigError naming the first invalid field."""
        require(0 < self.share <= 1, "stages.share", self.share, "0 to 1")
        least = {"size_px": 8, "learning_rate": 0, "learning_rate_end": 0, "augment": 0}
        require_at_least(self, "stages", **least, min_step=0)


DEFAULT_STAGES = (
    StageConfig(0.40, 64, False, 2e-3, 1e-3),
    StageConfig(0.25, 128, False, 1e-3, 4e-4),
    StageConfig(0.35, 128, True, 6e-4, 5e-5),
)


# Which of the generator's weights are trained; with few glyphs, train few. Each choice includes
# the next: the decoder (which depends on the style), its style modulation, the style embedding.
MOVES = ("all", "decoder", "modulation", "style")


@dataclass(frozen=True)
class OptimizerConfig:
    """Muon for the generator's convolutions, AdamW for everything else."""

    moves: str = "all"  # which weights are trained: one of MOVES
    muon_rate: float = 10.0  # factor on the stage's learning rate for Muon; 0: AdamW for all
    momentum: float = 0.95  # of Muon
    discriminator_rate: float = 1.0  # factor on the stage's learning rate, for the discriminator
    weight_decay: float = 0.01
    gradient_norm: float = 1.0  # gradients are clipped to this norm
    betas: tuple[float, float] = (0.9, 0.99)  # AdamW's, for the generator
    discriminator_betas: tuple[float, float] = (0.5, 0.99)

    def validate(self) -> None:
        """Raise ConfigError naming the first invalid field."""
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
    batch_size: int = 64  # glyphs per step
    styles_per_char: int = 4  # glyphs of a batch that share a source glyph, which is encoded once
    any_source: bool = False  # take source glyphs from the styles too: any hand to any other
    steps: int | None = None  # length of the run in steps; give this or `minutes`
    minutes: float | None = 30.0  # length of the run in minutes of training
    stages: tuple[StageConfig, ...] = DEFAULT_STAGES
    warmup_steps: int = 50  # at the start of each stage
    ema_decay: float = 0.999
    log_every_steps: int = 5
    keep_every_steps: int = 200  # evaluate, draw samples, write models and a checkpoint
    eval_chars: int = 48  # validation characters per style, in each evaluation
    sample_chars: int = 8  # how many of them the sample sheet shows
    device: str = "auto"  # auto | cpu | cuda | mps
    precision: str = "auto"  # auto | fp32 | bf16
    compile: bool = False  # torch.compile; measured to be slower on CPUs
    cuda_graphs: bool = False  # record each stage's step and replay it, on one GPU
    threads: int | None = None  # CPU threads of torch; None: torch's default
    workers: int | None = None  # processes that prepare batches; None: 2 for a GPU, else none
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)

    def validate(self) -> None:
        """Raise ConfigError naming the first invalid field."""
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
        """Check the fields of this table, without the nested ones."""
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
        """Check losses that depend on another setting."""
        rules = DISCRIMINATOR_RULES[self.discriminator.kind]
        has_style_head = rules.names_styles or self.discriminator.names_styles
        wanted = "0 unless discriminator.names_styles is true, or discriminator.kind is zi2zi"
        category_ok = has_style_head or self.loss.category == 0
        require(category_ok, "loss.category", self.loss.category, wanted)
        cycle_ok = self.any_source or self.loss.cycle == 0
        require(cycle_ok, "loss.cycle", self.loss.cycle, "0 unless any_source is true")
        for name in ("cycle", "reader"):  # their kernels depend on the data
            value = getattr(self.loss, name)
            wanted = "0 unless cuda_graphs is false"
            require(not self.cuda_graphs or value == 0, f"loss.{name}", value, wanted)
        if self.generator.output == "distance":
            wanted = "0 with generator.output distance"
            require(self.loss.bce == 0, "loss.bce", self.loss.bce, wanted)

    def _validate_divisors(self, sizes_px: list[int]) -> None:
        """Check that crops are whole cells and pooled images whole pixels, at every stage."""
        crop, grid = self.discriminator.crop_px, self.discriminator.grid
        fits = all(crop <= size and crop % max(1, size // grid) == 0 for size in sizes_px)
        wanted = "no larger than any stage, and whole cells of discriminator.grid"
        require(fits, "discriminator.crop_px", crop, wanted)
        fits = all(min(sizes_px) % scale == 0 for scale in self.loss.scales)
        require(fits, "loss.scales", self.loss.scales, f"divisors of {min(sizes_px)}")
