"""One SBOM in every serialisation of its format, for tests of its readers."""

from __future__ import annotations

from typing import Any

CYCLONEDX: dict[str, Any] = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "serialNumber": "urn:uuid:6e3d1f2e-0f0e-4a4e-9f3a-0d2f6a2a1b11",
    "version": 3,
    "metadata": {
        "timestamp": "2025-02-01T10:00:00Z",
        "lifecycles": [{"phase": "build"}, {"name": "clinical trial", "description": "at two sites"}],
        "tools": {
            "components": [{"type": "application", "name": "bommer", "version": "2.0"}],
            "services": [{"name": "signer"}],
        },
        "manufacturer": {
            "name": "Acme Medical",
            "url": ["https://acme.example", "https://sbom.acme.example"],
            "contact": [{"name": "Desk", "email": "desk@acme.example"}, {"phone": "1"}],
        },
        "authors": [{"name": "B. Om", "email": "b@acme.example"}, {"email": "team@acme.example"}],
        "component": {"type": "device", "bom-ref": "pump", "name": "Pump", "version": "2.1"},
        "supplier": {"name": "Acme Distribution", "contact": [{"email": "sales@acme.example"}]},
    },
    "components": [
        {
            "type": "library",
            "bom-ref": "ssl",
            "name": "openssl",
            "version": "3.0.1",
            "description": "TLS",
            "supplier": {"name": "OpenSSL project", "url": ["https://openssl.example"]},
            "manufacturer": {"contact": [{"email": "dev@openssl.example"}]},
            "authors": [{"name": "E. Young", "email": "ey@openssl.example"}],
            "externalReferences": [
                {"type": "vcs", "url": "https://x.example"},
                {
                    "type": "distribution",
                    "url": "https://openssl.example/libssl.so.3",
                    "hashes": [{"alg": "SHA-1", "content": "EF" * 20}],
                },
            ],
            "hashes": [{"alg": "SHA-256", "content": "AB" * 32}, {"alg": "MD5", "content": "cd" * 16}],
            "licenses": [
                {"license": {"id": "Apache-2.0", "acknowledgement": "declared"}},
                {"license": {"name": "Own"}},
            ],
            "properties": [
                {"name": "cdx:lifecycle:milestone:endOfSupport", "value": "2026-09-07"},
                {"name": "Level of Support", "value": "Actively maintained"},
                {"name": "acme:reviewed", "value": "yes"},
                {"name": "bsi:component:filename", "value": "libssl.so.3"},
                {"name": "bsi:component:executable", "value": "executable"},
            ],
            "components": [{"type": "library", "bom-ref": "crypto", "publisher": "P", "name": "libcrypto"}],
        },
        {
            "type": "library",
            "bom-ref": "theme",
            "name": "theme",
            "scope": "optional",
            "licenses": [{"expression": "MIT OR BSD-2-Clause", "acknowledgement": "concluded"}],
        },
        {"type": "library", "bom-ref": "pytest", "name": "pytest", "scope": "excluded"},
        {"type": "cryptographic-asset", "bom-ref": "aes", "name": "AES-256-GCM"},
    ],
    "services": [{"bom-ref": "cloud", "name": "Cloud"}],
    "dependencies": [
        {"ref": "pump", "dependsOn": ["ssl", "theme", "pytest", "cloud"]},
        {"ref": "ssl", "provides": ["aes"]},
        {"ref": "aes"},
    ],
    "compositions": [
        {"aggregate": "complete", "dependencies": ["pump", "ssl"]},
        {"aggregate": "incomplete", "assemblies": ["ssl"]},
        {"aggregate": "unknown", "dependencies": ["theme", "gone"]},
        {"aggregate": "not_specified", "assemblies": ["aes"]},
    ],
    "signature": {"algorithm": "ES256", "value": "c2lnbmVk"},
    "vulnerabilities": [
        {
            "id": "CVE-2024-0001",
            "source": {"name": "NVD", "url": "https://nvd.nist.gov/vuln/detail/CVE-2024-0001"},
            "ratings": [
                {"score": 7.5, "severity": "high", "method": "CVSSv31", "vector": "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}
            ],
            "cwes": [79],
            "description": "Crashes.",
            "affects": [{"ref": "ssl"}],
        },
        {
            "id": "CVE-2024-0002",
            "analysis": {"state": "not_affected", "justification": "code_not_reachable"},
            "affects": [{"ref": "ssl"}],
        },
    ],
}
CYCLONEDX_XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<bom xmlns="http://cyclonedx.org/schema/bom/1.6" xmlns:x="urn:other" version="3"
     serialNumber="urn:uuid:6e3d1f2e-0f0e-4a4e-9f3a-0d2f6a2a1b11">
  <metadata>
    <timestamp>2025-02-01T10:00:00Z</timestamp>
    <lifecycles>
      <lifecycle><phase>build</phase></lifecycle>
      <lifecycle><name>clinical trial</name><description>at two sites</description></lifecycle>
    </lifecycles>
    <tools>
      <components><component type="application"><name>bommer</name><version>2.0</version></component></components>
      <services><service><name>signer</name></service></services>
    </tools>
    <authors>
      <author><name>B. Om</name><email>b@acme.example</email></author>
      <author><email>team@acme.example</email></author>
    </authors>
    <component type="device" bom-ref="pump"><name>Pump</name><version>2.1</version></component>
    <manufacturer><name>Acme Medical</name>
      <url>https://acme.example</url><url>https://sbom.acme.example</url>
      <contact><name>Desk</name><email>desk@acme.example</email></contact><contact><phone>1</phone></contact>
    </manufacturer>
    <supplier><name>Acme Distribution</name><contact><email>sales@acme.example</email></contact></supplier>
  </metadata>
  <components>
    <component type="library" bom-ref="ssl">
      <supplier><name>OpenSSL project</name><url>https://openssl.example</url></supplier>
      <manufacturer><contact><email>dev@openssl.example</email></contact></manufacturer>
      <authors><author><name>E. Young</name><email>ey@openssl.example</email></author></authors>
      <name>openssl</name><version>3.0.1</version>
      <description><![CDATA[TLS]]></description>
      <hashes><hash alg="SHA-256">ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB</hash>
        <hash alg="MD5">cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd</hash></hashes>
      <licenses>
        <license acknowledgement="declared"><id>Apache-2.0</id><text content-type="text/plain">long</text></license>
        <license><name>Own</name></license>
      </licenses>
      <x:name>another</x:name>
      <pedigree><ancestors><component type="library"><name>ssleay</name></component></ancestors></pedigree>
      <externalReferences><reference type="vcs"><url>https://x.example</url></reference>
        <reference type="distribution"><url>https://openssl.example/libssl.so.3</url>
          <hashes><hash alg="SHA-1">EFEFEFEFEFEFEFEFEFEFEFEFEFEFEFEFEFEFEFEF</hash></hashes>
        </reference></externalReferences>
      <properties>
        <property name="cdx:lifecycle:milestone:endOfSupport">2026-09-07</property>
        <property name="Level of Support">Actively maintained</property>
        <property name="acme:reviewed">yes</property>
        <property name="bsi:component:filename">libssl.so.3</property>
        <property name="bsi:component:executable">executable</property>
      </properties>
      <components>
        <component type="library" bom-ref="crypto"><publisher>P</publisher><name>libcrypto</name></component>
      </components>
    </component>
    <component type="library" bom-ref="theme"><name>theme</name><scope>optional</scope>
      <licenses><expression acknowledgement="concluded">MIT OR BSD-2-Clause</expression></licenses></component>
    <component type="library" bom-ref="pytest"><name>pytest</name><scope>excluded</scope></component>
    <component type="cryptographic-asset" bom-ref="aes"><name>AES-256-GCM</name></component>
  </components>
  <services><service bom-ref="cloud"><name>Cloud</name></service></services>
  <dependencies>
    <dependency ref="pump">
      <dependency ref="ssl"/><dependency ref="theme"/><dependency ref="pytest"/><dependency ref="cloud"/>
    </dependency>
    <dependency ref="ssl"><provides ref="aes"/></dependency>
    <dependency ref="aes"/>
  </dependencies>
  <compositions>
    <composition><aggregate>complete</aggregate>
      <dependencies><dependency ref="pump"/><dependency ref="ssl"/></dependencies></composition>
    <composition><aggregate>incomplete</aggregate><assemblies><assembly ref="ssl"/></assemblies></composition>
    <composition><aggregate>unknown</aggregate>
      <dependencies><dependency ref="theme"/><dependency ref="gone"/></dependencies></composition>
    <composition><aggregate>not_specified</aggregate><assemblies><assembly ref="aes"/></assemblies></composition>
  </compositions>
  <vulnerabilities>
    <vulnerability>
      <id>CVE-2024-0001</id>
      <source><name>NVD</name><url>https://nvd.nist.gov/vuln/detail/CVE-2024-0001</url></source>
      <ratings><rating><score>7.5</score><severity>high</severity><method>CVSSv31</method>
        <vector>AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H</vector></rating></ratings>
      <cwes><cwe>79</cwe></cwes>
      <description>Crashes.</description>
      <affects><target><ref>ssl</ref></target></affects>
    </vulnerability>
    <vulnerability>
      <id>CVE-2024-0002</id>
      <analysis><state>not_affected</state><justification>code_not_reachable</justification></analysis>
      <affects><target><ref>ssl</ref></target></affects>
    </vulnerability>
  </vulnerabilities>
  <Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo/><SignatureValue>c2ln</SignatureValue></Signature>
</bom>
"""

SPDX: dict[str, Any] = {
    "spdxVersion": "SPDX-2.3",
    "SPDXID": "SPDXRef-DOCUMENT",
    "documentNamespace": "https://acme.example/console/1.10",
    "creationInfo": {
        "created": "2025-02-01T10:00:00Z",
        "creators": ["Tool: syft-1.4.0", "Organization: Acme (sbom@acme.example)", "Person: B. Om ()"],
    },
    "packages": [
        {
            "SPDXID": "SPDXRef-app",
            "name": "console",
            "versionInfo": "1.10",
            "supplier": "NOASSERTION",
            "downloadLocation": "NONE",
            "comment": "Support level: limited\nNothing: else counts here",
        },
        {
            "SPDXID": "SPDXRef-ssl",
            "name": "openssl",
            "versionInfo": "3.0.1",
            "supplier": "Organization: OpenSSL (team@openssl.example)",
            "originator": "Person: E. Young (ey@openssl.example)",
            "packageFileName": "openssl-3.0.1.tar.gz",
            "downloadLocation": "https://openssl.example/openssl-3.0.1.tar.gz",
            "licenseDeclared": "Apache-2.0",
            "licenseConcluded": "NOASSERTION",
            "validUntilDate": "2026-09-07T00:00:00Z",
            "checksums": [{"algorithm": "SHA256", "checksumValue": "ab" * 32}],
            "externalRefs": [
                {
                    "referenceCategory": "PACKAGE-MANAGER",
                    "referenceType": "purl",
                    "referenceLocator": "pkg:generic/openssl@3.0.1",
                }
            ],
        },
    ],
    "files": [{"SPDXID": "SPDXRef-f", "fileName": "./x"}],
    "annotations": [
        {"SPDXID": "SPDXRef-ssl", "comment": "Level of Support: abandoned\nreviewed=yes\nhttps://x.example"}
    ],
    "relationships": [
        {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-app"},
        {"spdxElementId": "SPDXRef-app", "relationshipType": "STATIC_LINK", "relatedSpdxElement": "SPDXRef-ssl"},
        {"spdxElementId": "SPDXRef-app", "relationshipType": "CONTAINS", "relatedSpdxElement": "SPDXRef-f"},
        {"spdxElementId": "SPDXRef-ssl", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": "NONE"},
        {"spdxElementId": "SPDXRef-app", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": "NOASSERTION"},
    ],
}
SPDX_TEXT = f"""SPDXVersion: SPDX-2.3
SPDXID: SPDXRef-DOCUMENT
DocumentNamespace: https://acme.example/console/1.10
Creator: Tool: syft-1.4.0
Creator: Organization: Acme (sbom@acme.example)
Creator: Person: B. Om ()
Created: 2025-02-01T10:00:00Z

PackageName: console
SPDXID: SPDXRef-app
PackageVersion: 1.10
PackageSupplier: NOASSERTION
PackageDownloadLocation: NONE
PackageComment: <text>Support level: limited
Nothing: else counts here</text>

PackageName: openssl
SPDXID: SPDXRef-ssl
PackageVersion: 3.0.1
PackageFileName: openssl-3.0.1.tar.gz
PackageSupplier: Organization: OpenSSL (team@openssl.example)
PackageOriginator: Person: E. Young (ey@openssl.example)
PackageDownloadLocation: https://openssl.example/openssl-3.0.1.tar.gz
PackageLicenseDeclared: Apache-2.0
PackageLicenseConcluded: NOASSERTION
ValidUntilDate: 2026-09-07T00:00:00Z
PackageChecksum: SHA256: {"ab" * 32}
ExternalRef: PACKAGE-MANAGER purl pkg:generic/openssl@3.0.1

FileName: ./x
SPDXID: SPDXRef-f

Annotator: Person: B. Om ()
AnnotationType: OTHER
SPDXREF: SPDXRef-ssl
AnnotationComment: <text>Level of Support: abandoned
reviewed=yes
https://x.example</text>

Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-app
Relationship: SPDXRef-app STATIC_LINK SPDXRef-ssl
Relationship: SPDXRef-app CONTAINS SPDXRef-f
Relationship: SPDXRef-ssl DEPENDS_ON NONE
Relationship: SPDXRef-app DEPENDS_ON NOASSERTION
""".encode()
SPDX_YAML = f"""
SPDXID: SPDXRef-DOCUMENT
documentNamespace: https://acme.example/console/1.10
creationInfo: {{created: 2025-02-01T10:00:00Z, creators: &who ["Tool: syft-1.4.0",
  "Organization: Acme (sbom@acme.example)", "Person: B. Om ()"]}}
reviewers: *who
packages:
- SPDXID: SPDXRef-app
  name: console
  versionInfo: 1.10
  supplier: NOASSERTION
  originator: null
  downloadLocation: NONE
  comment: |-
    Support level: limited
    Nothing: else counts here
- SPDXID: SPDXRef-ssl
  checksums: [{{algorithm: SHA256, checksumValue: {"ab" * 32}}}]
  externalRefs:
  - referenceCategory: PACKAGE-MANAGER
    referenceLocator: pkg:generic/openssl@3.0.1
    referenceType: purl
  licenseConcluded: NOASSERTION
  licenseDeclared: "Apache-2.0"
  name: openssl
  originator: "Person: E. Young (ey@openssl.example)"
  packageFileName: openssl-3.0.1.tar.gz
  downloadLocation: https://openssl.example/openssl-3.0.1.tar.gz
  supplier: "Organization: OpenSSL (team@openssl.example)"
  validUntilDate: 2026-09-07T00:00:00Z
  versionInfo: 3.0.1
files: [{{SPDXID: SPDXRef-f, fileName: ./x}}]
annotations:
- SPDXID: SPDXRef-ssl
  comment: "Level of Support: abandoned\\nreviewed=yes\\nhttps://x.example"
relationships:
- {{spdxElementId: SPDXRef-DOCUMENT, relationshipType: DESCRIBES, relatedSpdxElement: SPDXRef-app}}
- {{spdxElementId: SPDXRef-app, relationshipType: STATIC_LINK, relatedSpdxElement: SPDXRef-ssl}}
- {{spdxElementId: SPDXRef-app, relationshipType: CONTAINS, relatedSpdxElement: SPDXRef-f}}
- {{spdxElementId: SPDXRef-ssl, relationshipType: DEPENDS_ON, relatedSpdxElement: NONE}}
- {{spdxElementId: SPDXRef-app, relationshipType: DEPENDS_ON, relatedSpdxElement: NOASSERTION}}
spdxVersion: SPDX-2.3
""".encode()
SPDX_XML = f"""<?xml version="1.0" encoding="utf-8"?>
<Document>
  <spdxVersion>SPDX-2.3</spdxVersion><SPDXID>SPDXRef-DOCUMENT</SPDXID>
  <documentNamespace>https://acme.example/console/1.10</documentNamespace>
  <creationInfo><created>2025-02-01T10:00:00Z</created><creators>Tool: syft-1.4.0</creators>
    <creators>Organization: Acme (sbom@acme.example)</creators><creators>Person: B. Om ()</creators></creationInfo>
  <packages><SPDXID>SPDXRef-app</SPDXID><name>console</name><versionInfo>1.10</versionInfo>
    <supplier>NOASSERTION</supplier><downloadLocation>NONE</downloadLocation>
    <comment>Support level: limited
Nothing: else counts here</comment></packages>
  <packages><SPDXID>SPDXRef-ssl</SPDXID><name>openssl</name><versionInfo>3.0.1</versionInfo>
    <supplier>Organization: OpenSSL (team@openssl.example)</supplier>
    <originator>Person: E. Young (ey@openssl.example)</originator>
    <packageFileName>openssl-3.0.1.tar.gz</packageFileName>
    <downloadLocation>https://openssl.example/openssl-3.0.1.tar.gz</downloadLocation>
    <licenseDeclared>Apache-2.0</licenseDeclared><licenseConcluded>NOASSERTION</licenseConcluded>
    <validUntilDate>2026-09-07T00:00:00Z</validUntilDate>
    <checksums><algorithm>SHA256</algorithm><checksumValue>{"ab" * 32}</checksumValue></checksums>
    <externalRefs><referenceCategory>PACKAGE-MANAGER</referenceCategory><referenceType>purl</referenceType>
      <referenceLocator>pkg:generic/openssl@3.0.1</referenceLocator></externalRefs></packages>
  <files><SPDXID>SPDXRef-f</SPDXID><fileName>./x</fileName></files>
  <annotations><SPDXID>SPDXRef-ssl</SPDXID>
    <comment>Level of Support: abandoned
reviewed=yes
https://x.example</comment></annotations>
  <relationships><spdxElementId>SPDXRef-DOCUMENT</spdxElementId><relationshipType>DESCRIBES</relationshipType>
    <relatedSpdxElement>SPDXRef-app</relatedSpdxElement></relationships>
  <relationships><spdxElementId>SPDXRef-app</spdxElementId><relationshipType>STATIC_LINK</relationshipType>
    <relatedSpdxElement>SPDXRef-ssl</relatedSpdxElement></relationships>
  <relationships><spdxElementId>SPDXRef-app</spdxElementId><relationshipType>CONTAINS</relationshipType>
    <relatedSpdxElement>SPDXRef-f</relatedSpdxElement></relationships>
  <relationships><spdxElementId>SPDXRef-ssl</spdxElementId><relationshipType>DEPENDS_ON</relationshipType>
    <relatedSpdxElement>NONE</relatedSpdxElement></relationships>
  <relationships><spdxElementId>SPDXRef-app</spdxElementId><relationshipType>DEPENDS_ON</relationshipType>
    <relatedSpdxElement>NOASSERTION</relatedSpdxElement></relationships>
</Document>
""".encode()
