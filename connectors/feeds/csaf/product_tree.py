"""The product tree (CSAF 2.0, section 3.2.2), flattened to one `AffectedProduct` a leaf."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from connectors.json_object import JsonObject
from connectors.reading import MAX_DEPTH
from meddojo.advisory import AffectedProduct, VersionKind

_MAX_RELATIONSHIP_CHAIN = 20


def parse_products(tree: JsonObject) -> dict[str, AffectedProduct]:
    """All products of a tree by their id: branches, bare full product names, and relationships.

    Raises
    ------
    InputError
        On a product without an id.
    """
    products = {}
    for product in _leaves(tree):
        products[product.product_id] = product
    for entry in tree.objects("full_product_names"):
        product = _with_full_name(AffectedProduct(""), entry)
        products[product.product_id] = product
    _add_relationships(products, tree)
    return products


def parse_groups(tree: JsonObject) -> dict[str, tuple[str, ...]]:
    """Product groups (section 3.2.2.3): group id to product ids."""
    return {group.required_text("group_id"): group.texts("product_ids") for group in tree.objects("product_groups")}


def expand(identifiers: Iterable[str], groups: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Replace the ids of groups by those of their products; in order, each once."""
    expanded = (member for name in identifiers for member in groups.get(name, (name,)))
    return tuple(dict.fromkeys(expanded))


def _leaves(tree: JsonObject) -> Iterator[AffectedProduct]:
    """Walk the branches in document order; what they are called gathers on the way down."""
    pending = [(branch, AffectedProduct(""), 1) for branch in tree.objects("branches")][::-1]
    while pending:
        branch, above, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise branch.error("branches", f"nested deeper than {MAX_DEPTH} levels")
        here = _named_by(branch, above)
        if branch.value.get("product") is not None:
            yield _with_full_name(here, branch.object("product"))
        pending += [(child, here, depth + 1) for child in branch.objects("branches")][::-1]


def _named_by(branch: JsonObject, above: AffectedProduct) -> AffectedProduct:
    """What a branch adds to the names above it (section 3.1.2.2); other categories add nothing."""
    name = branch.text("name")
    match branch.text("category"):
        case "vendor":
            return replace(above, vendor=name)
        case "product_family":
            return replace(above, family=name)
        case "product_name":
            return replace(above, product=name)
        case "product_version":
            return replace(above, version_text=name, version_kind=VersionKind.EXACT)
        case "product_version_range":
            return replace(above, version_text=name, version_kind=VersionKind.RANGE)
        case "service_pack" | "patch_level" if name:
            # "3.2" with service pack "SP1" is another version than "3.2"
            kind = above.version_kind or VersionKind.EXACT
            return replace(above, version_text=f"{above.version_text} {name}".lstrip(), version_kind=kind)
    return above


def _with_full_name(names: AffectedProduct, entry: JsonObject) -> AffectedProduct:
    """A full product name with its identification helper (sections 3.1.3.1 to 3.1.3.3)."""
    full_name = entry.text("name")
    product_id = entry.required_text("product_id")
    if entry.value.get("product_identification_helper") is None:
        return replace(names, product_id=product_id, full_name=full_name)
    helper = entry.object("product_identification_helper")
    purls = (helper.text("purl"), *helper.texts("purls"))  # CSAF 2.1 has a list
    return replace(
        names,
        product_id=product_id,
        full_name=full_name,
        cpe=helper.text("cpe") or names.cpe,
        purl=next(filter(None, purls), names.purl),
        model_numbers=helper.texts("model_numbers") or names.model_numbers,
        serial_numbers=helper.texts("serial_numbers") or names.serial_numbers,
        skus=helper.texts("skus") or names.skus,
        hashes=tuple(_hashes(helper)) or names.hashes,
        uris=tuple(uri for item in helper.objects("x_generic_uris") if (uri := item.text("uri"))) or names.uris,
    )


def _hashes(helper: JsonObject) -> Iterator[str]:
    """Cryptographic hashes of files (section 3.1.3.3.2) as ``algorithm:value``."""
    for item in helper.objects("hashes"):
        for entry in item.objects("file_hashes"):
            if value := entry.text("value").strip():
                yield f"{entry.text('algorithm').strip()}:{value}".lower()


def _add_relationships(products: dict[str, AffectedProduct], tree: JsonObject) -> None:
    """Products that stand on others (section 3.2.2.4), in whatever order and chain they are listed."""
    waiting = list(tree.objects("relationships"))
    for _ in range(_MAX_RELATIONSHIP_CHAIN):
        unresolved = []
        for relationship in waiting:
            part = products.get(relationship.text("product_reference"))
            whole = products.get(relationship.text("relates_to_product_reference"))
            if part is None or whole is None:
                unresolved.append(relationship)
                continue
            product = _with_full_name(part, relationship.object("full_product_name"))
            products[product.product_id] = replace(
                product,
                installed_on=whole.full_name or _label(whole),
                installed_on_id=whole.product_id,
                relationship=relationship.text("category"),
            )
        if not unresolved:
            return
        if len(unresolved) == len(waiting):
            break
        waiting = unresolved
    raise waiting[0].error("", "the relationship refers to a product that the tree does not define")


def _label(product: AffectedProduct) -> str:
    return " ".join(filter(None, (product.vendor, product.product, product.version_text)))
