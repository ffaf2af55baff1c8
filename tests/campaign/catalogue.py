"""The campaigns by name, in the order in which they run."""

from __future__ import annotations

from tests.campaign import Campaign
from tests.campaign.caches import CACHES
from tests.campaign.configs import CONFIGS
from tests.campaign.disks import DISKS
from tests.campaign.documentation import DOCUMENTATION, DOCUMENTATION_SITE, REFERENCES
from tests.campaign.downloads import DOWNLOADS
from tests.campaign.forgeries import FORGERY
from tests.campaign.kills import KILLS
from tests.campaign.locks import LOCKS, WHEEL
from tests.campaign.memory import MEMORY
from tests.campaign.models import MODELS
from tests.campaign.pairs import PAIRS
from tests.campaign.photos import PHOTOS
from tests.campaign.releases import AUDIT, CHANGELOG, INIT, LICENCES, SBOM, WORKFLOWS
from tests.campaign.replacing import REPLACING
from tests.campaign.serving import SERVING
from tests.campaign.strangers import SCHEDULERS, STRANGERS
from tests.campaign.texts import TEXTS

CAMPAIGNS: dict[str, Campaign] = {
    "kills": KILLS,
    "disks": DISKS,
    "caches": CACHES,
    "pairs": PAIRS,
    "forgery": FORGERY,
    "replacing": REPLACING,
    "memory": MEMORY,
    "downloads": DOWNLOADS,
    "configs": CONFIGS,
    "documentation": DOCUMENTATION,
    "documentation-site": DOCUMENTATION_SITE,
    "references": REFERENCES,
    "init": INIT,
    "licences": LICENCES,
    "locks": LOCKS,
    "sbom": SBOM,
    "audit": AUDIT,
    "changelog": CHANGELOG,
    "workflows": WORKFLOWS,
    "wheel": WHEEL,
    "serving": SERVING,
    "texts": TEXTS,
    "photos": PHOTOS,
    "models": MODELS,
    "strangers": STRANGERS,
    "schedulers": SCHEDULERS,
}
