"""The campaigns by name, in the order in which they run."""

from __future__ import annotations

from tests.campaign import Campaign
from tests.campaign.kills import KILLS

CAMPAIGNS: dict[str, Campaign] = {"kills": KILLS}
