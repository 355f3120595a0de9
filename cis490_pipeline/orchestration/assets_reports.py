"""The data card of the whole store, and a split's comparison report and model cards.

Not here: what the pages say (``reporting``).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import dagster as dg

from cis490_pipeline.episodes.received import read_received
from cis490_pipeline.errors import SplitRefusedError
from cis490_pipeline.evaluation.on_split import ScoringContext
from cis490_pipeline.evaluation.shift import VERSION as SHIFT_VERSION
from cis490_pipeline.evaluation.shift import measure_shift
from cis490_pipeline.explain.attributions import method_of
from cis490_pipeline.explain.on_split import explain_model, explainable_models
from cis490_pipeline.explain.result import VERSION
from cis490_pipeline.models.provenance import code_commit
from cis490_pipeline.orchestration.assets_ingest import INGEST_KEYS
from cis490_pipeline.orchestration.assets_models import (
    evaluation_key,
    families_and_modes,
    model_key,
)
from cis490_pipeline.orchestration.automation import WHEN_INPUTS_CHANGE
from cis490_pipeline.orchestration.config import ExplainConfig, IndexConfig
from cis490_pipeline.orchestration.metadata import (
    SILENCE,
    data_card_metadata,
    explanations_metadata,
    file_link,
    shift_metadata,
)
from cis490_pipeline.orchestration.partitions import SPLITS
from cis490_pipeline.orchestration.resources import Lab
from cis490_pipeline.orchestration.retrying import QUICK_RETRY, RETRY
from cis490_pipeline.quality.alerts import readable_alerts
from cis490_pipeline.reporting.publish import publish_comparison
from cis490_pipeline.reporting.publish_cards import publish_model_cards
from cis490_pipeline.reporting.publish_data import publish_data_card
from cis490_pipeline.reporting.publish_explanations import publish_explanations
from cis490_pipeline.reporting.publish_folds import publish_folds
from cis490_pipeline.reporting.text import markdown_text
from cis490_pipeline.schema.fingerprint import current_schema
from cis490_pipeline.validation.summary import summarize

GROUP: Final = "reports"
OWNERS: Final = ["team:ml"]
CODE_VERSION: Final = current_schema().fingerprint[:12]


@dg.asset(
    deps=[dg.AssetDep(name, partition_mapping=dg.AllPartitionMapping()) for name in INGEST_KEYS],
    group_name="data_quality",
    kinds={"html", "markdown"},
    owners=["team:data"],
    code_version=CODE_VERSION,
    automation_condition=WHEN_INPUTS_CHANGE,
    freshness_policy=SILENCE,
    retry_policy=QUICK_RETRY,
)
def data_card(config: IndexConfig, lab: Lab) -> dg.MaterializeResult:
    """Tell what the tables hold, as a page: coverage, diversity, clocks, channels, damage."""
    damage = read_received(lab.episode_store(config.index).index_path).damage
    counts = summarize((), damage).index_damage
    kinds = [(kind.value, n) for kind, n in counts.items()]
    card = publish_data_card(lab.warehouse, kinds, readable_alerts(lab.alerts))
    return dg.MaterializeResult(
        data_version=dg.DataVersion(card.content_hash),
        metadata=data_card_metadata(card, lab.page_url(card.html)),
    )


@dg.asset(
    partitions_def=SPLITS,
    deps=["training_set", "test_set"],
    group_name="evaluation",
    kinds={"numpy", "json"},
    owners=OWNERS,
    code_version=f"{CODE_VERSION}.{SHIFT_VERSION}",
    op_tags={"dagster-celery/queue": "cpu"},
    retry_policy=RETRY,
)
def shift(context: dg.AssetExecutionContext, lab: Lab) -> dg.MaterializeResult:
    """Tell how far test episodes lie from training ones, and whether hosts can be told apart."""
    scoring = ScoringContext(why=f"dagster run {context.run.run_id}", code_commit=code_commit())
    found = measure_shift(lab.warehouse, context.partition_key, scoring)
    version = f"{found.training_set_hash}:{found.test_set_hash}:{found.version}"
    return dg.MaterializeResult(
        data_version=dg.DataVersion(version), metadata=shift_metadata(found)
    )


def build_explanations_asset() -> dg.AssetsDefinition:
    """Return the asset that explains every model of a split that can be explained."""
    explained = [
        model_key(spec.name, mode) for spec, mode in families_and_modes() if method_of(spec)
    ]

    @dg.asset(
        partitions_def=SPLITS,
        deps=[*explained, "training_set", "test_set"],
        group_name=GROUP,
        kinds={"json", "svg"},
        owners=OWNERS,
        code_version=f"{CODE_VERSION}.{VERSION}",
        op_tags={"dagster-celery/queue": "cpu"},
        retry_policy=RETRY,
    )
    def explanations(
        context: dg.AssetExecutionContext, config: ExplainConfig, lab: Lab
    ) -> dg.MaterializeResult:
        """Tell which channels each model looks at, and whether that means anything."""
        scoring = ScoringContext(
            why=f"dagster run {context.run.run_id}",
            code_commit=code_commit(),
            threads=config.threads,
        )
        models = [
            explain_model(lab.warehouse, fitted, config.to_options(), scoring)
            for fitted in explainable_models(lab.warehouse.layout, context.partition_key)
        ]
        published = publish_explanations(lab.warehouse.layout, models)
        return dg.MaterializeResult(
            data_version=dg.DataVersion(published.content_hash),
            metadata=explanations_metadata(models, published),
        )

    return explanations


def page_links(pages: Sequence[Path], lab: Lab) -> dg.MetadataValue:
    """Return links to pages as a list, each named like its file."""
    lines = (f"- [{markdown_text(page.stem)}]({lab.page_url(page)})" for page in pages)
    return dg.MetadataValue.md("\n".join(lines))


def build_folds_asset(evaluations: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """Return the asset of the page over all hosts; unpartitioned, materialized when wanted."""

    @dg.asset(
        deps=[dg.AssetDep(key, partition_mapping=dg.AllPartitionMapping()) for key in evaluations],
        group_name=GROUP,
        kinds={"html", "markdown"},
        owners=OWNERS,
        code_version=CODE_VERSION,
        output_required=False,
        retry_policy=QUICK_RETRY,
    )
    def leave_one_host_out(
        context: dg.AssetExecutionContext, lab: Lab
    ) -> Iterator[dg.MaterializeResult]:
        """Every host that was left out in turn, side by side: points first, then summaries."""
        try:
            folds = publish_folds(lab.warehouse)
        except SplitRefusedError as refusal:  # one host: `sample` and `time` still have reports
            context.log.warning(str(refusal))
            return
        yield dg.MaterializeResult(
            data_version=dg.DataVersion(folds.content_hash),
            metadata={
                "headline": dg.MetadataValue.text(folds.headline),
                "tested": dg.MetadataValue.text(", ".join(folds.tested)),
                "html": dg.MetadataValue.url(lab.page_url(folds.html)),
                "markdown": file_link(folds.markdown),
                "json": file_link(folds.json),
            },
        )

    return leave_one_host_out


def build_report_assets() -> list[dg.AssetsDefinition]:
    """Return the report assets; their dependencies follow the catalog of families."""
    pairs = [(spec.name, mode) for spec, mode in families_and_modes()]
    evaluations = [evaluation_key(family, mode) for family, mode in pairs]

    @dg.asset(
        partitions_def=SPLITS,
        deps=[*evaluations, "shift", "explanations", "model_cards", "test_set"],
        group_name=GROUP,
        kinds={"html", "markdown"},
        owners=OWNERS,
        code_version=CODE_VERSION,
        retry_policy=QUICK_RETRY,
    )
    def comparison_report(context: dg.AssetExecutionContext, lab: Lab) -> dg.MaterializeResult:
        """Every model of the split side by side, with what is and what is not tested."""
        report = publish_comparison(lab.warehouse, context.partition_key)
        return dg.MaterializeResult(
            data_version=dg.DataVersion(report.content_hash),
            metadata={
                "headline": dg.MetadataValue.text(report.headline),
                **{name: dg.MetadataValue.md(image) for name, image in report.images},
                "models": dg.MetadataValue.md(report.table_markdown),
                "html": dg.MetadataValue.url(lab.page_url(report.html)),
                "markdown": file_link(report.markdown),
                "json": file_link(report.json),
            },
        )

    @dg.asset(
        partitions_def=SPLITS,
        deps=[*(model_key(family, mode) for family, mode in pairs), *evaluations],
        group_name=GROUP,
        kinds={"html", "markdown"},
        owners=OWNERS,
        code_version=CODE_VERSION,
        retry_policy=QUICK_RETRY,
    )
    def model_cards(context: dg.AssetExecutionContext, lab: Lab) -> dg.MaterializeResult:
        """One card per fitted model: what it is, what it was fitted on, what it is good for."""
        cards = publish_model_cards(lab.warehouse, context.partition_key)
        return dg.MaterializeResult(
            data_version=dg.DataVersion(cards.content_hash),
            metadata={
                "cards": dg.MetadataValue.int(len(cards.paths)),
                "pages": page_links([path.with_suffix(".html") for path in cards.paths], lab),
                "directory": file_link(cards.directory),
            },
        )

    return [
        data_card,
        shift,
        build_explanations_asset(),
        comparison_report,
        model_cards,
        build_folds_asset(evaluations),
    ]
