"""The CSAF feed: documents of a folder, a file, or a provider on the web."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from connectors.feeds.csaf.folder import read_folder
from connectors.feeds.csaf.policy import FOLDER_POLICY, PROVIDER_POLICY, Policy, read_policy
from connectors.feeds.csaf.provider import update_from_provider
from connectors.feeds.source import files_cursor, is_url, now
from connectors.http import PoliteSession
from meddojo.advisory import Advisory
from meddojo.config import FeedConfig
from meddojo.interface import Checkpoint, Skipped

CISA = "https://www.cisa.gov/sites/default/files/csaf/provider-metadata.json"


def build(config: FeedConfig) -> CsafFeed:
    """Build the feed of a section of ``meddojo.toml``.

    Any provider is one line of it::

        [feeds.csaf]                            # CISA
        [feeds.siemens]
        type = "csaf"
        source = "https://cert-portal.siemens.com/productcert/csaf/provider-metadata.json"
        [feeds.acme]
        type = "csaf"
        source = "https://acme.example"         # a domain: its provider is looked for as the standard says
        [feeds.bsi]
        type = "csaf"
        source = "https://wid.cert-bund.de/.well-known/csaf-aggregator/aggregator.json"
        [feeds.csaf.options]
        signature = "required"                  # or "when-present", "off"
        hash = "required"                       # likewise
        tlp = ["CLEAR", "UNLABELED"]            # labels that are taken

    Those options are the default on the web. A folder or file may have any label, and its documents are checked
    against hash and signature files that lie beside them ("when-present").

    Raises
    ------
    ConfigError
        On an unknown option or value.
    """
    source = config.source or CISA
    policy = read_policy(config.options, PROVIDER_POLICY if is_url(source) else FOLDER_POLICY)
    return CsafFeed(source, PoliteSession(config.network), policy)


@dataclass(frozen=True, slots=True)
class CsafFeed:
    """Yields one `Advisory` a document."""

    source: str
    session: PoliteSession
    policy: Policy = PROVIDER_POLICY
    name: str = "csaf"

    def update(self, cursor: str | None) -> Iterator[Advisory | Skipped | Checkpoint]:
        """Yield all advisories of a folder or file, or those a provider changed since.

        Raises
        ------
        MeddojoError
            If the source as a whole cannot be read or fetched.
        """
        if is_url(self.source):
            yield from update_from_provider(self.session, self.source, cursor, self.policy)
            return
        started = files_cursor(now())
        yield from read_folder(Path(self.source), self.policy)
        yield Checkpoint(started)
