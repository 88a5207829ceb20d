"""What PostgreSQL has no place for: nodes with their localities, regions of databases, cluster settings.

Kept in the database `system` of the primary, schema `standin`.
"""

from __future__ import annotations

SCHEMA = """
CREATE SCHEMA IF NOT EXISTS standin;
CREATE TABLE IF NOT EXISTS standin.nodes (
    id serial PRIMARY KEY,
    address text NOT NULL UNIQUE,
    locality text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    decommissioned boolean NOT NULL DEFAULT false
);
CREATE TABLE IF NOT EXISTS standin.databases (
    name text PRIMARY KEY,
    primary_region text NOT NULL,
    survival_goal text NOT NULL DEFAULT 'zone' CHECK (survival_goal IN ('zone', 'region'))
);
CREATE TABLE IF NOT EXISTS standin.database_regions (
    database text REFERENCES standin.databases ON DELETE CASCADE,
    region text,
    PRIMARY KEY (database, region)
);
CREATE TABLE IF NOT EXISTS standin.table_localities (
    database text, name text, locality text NOT NULL, PRIMARY KEY (database, name)
);
CREATE TABLE IF NOT EXISTS standin.settings (variable text PRIMARY KEY, value text NOT NULL);
CREATE TABLE IF NOT EXISTS standin.zone_configurations (target text PRIMARY KEY, configuration text NOT NULL);
GRANT USAGE ON SCHEMA standin TO node;
GRANT SELECT, INSERT, UPDATE ON standin.nodes TO node;
GRANT USAGE ON SEQUENCE standin.nodes_id_seq TO node;
"""

HEARTBEAT = """
INSERT INTO standin.nodes (address, locality, started_at) VALUES (%(address)s, %(locality)s, %(started_at)s)
ON CONFLICT (address) DO UPDATE SET locality = %(locality)s, started_at = %(started_at)s, updated_at = now()
RETURNING id, decommissioned
"""

#: A node is live when it was heard of within this time: 4.5 s is CockroachDB's liveness, plus our beat.
LIVE_SECONDS = 9
BEAT_SECONDS = 3

NODES = f"""
SELECT id, address, locality, started_at, updated_at, decommissioned,
       updated_at > now() - interval '{LIVE_SECONDS} seconds' AS live
FROM standin.nodes ORDER BY id
"""

#: Settings that the stand-in knows, with the value of a fresh v26.2 cluster. It keeps them; none changes what it does.
KNOWN_SETTINGS: dict[str, str] = {
    "cluster.organization": "",
    "diagnostics.reporting.enabled": "true",
    "enterprise.license": "",
    "kv.closed_timestamp.lead_for_global_reads_auto_tune.enabled": "false",
    "kv.closed_timestamp.lead_for_global_reads_override": "0s",
    "kv.rangefeed.enabled": "false",
    "server.shutdown.drain_wait": "0s",
    "server.time_until_store_dead": "5m0s",
    "sql.defaults.results_buffer.size": "512 KiB",
}
