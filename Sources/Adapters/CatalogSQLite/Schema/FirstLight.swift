extension CatalogSchema {
    // Identities are the sixteen bytes of a UUID; instants are nanoseconds since 1970; words are the domain's.
    // Wide rows keep their `rowid`, so that each of their indexes holds a few bytes for a row and not its identity.
    static let firstLight =
        """
        CREATE TABLE environments (
            id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
            name TEXT NOT NULL UNIQUE,
            description TEXT NOT NULL,
            created_at INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE users (
            id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
            name TEXT NOT NULL UNIQUE CHECK (name <> ''),
            is_operator INTEGER NOT NULL CHECK (is_operator IN (0, 1)),
            password_verifier TEXT NOT NULL,
            created_at INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE api_keys (
            digest BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
            kind TEXT NOT NULL CHECK (kind IN ('rest', 'query')),
            user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
            -- Without its environment a key would open more than it was made for, so it goes with it.
            environment_id BLOB REFERENCES environments (id) ON DELETE CASCADE,
            secret TEXT,
            created_at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX api_keys_by_user ON api_keys (user_id);
        CREATE INDEX api_keys_by_environment ON api_keys (environment_id);

        CREATE TABLE memberships (
            user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
            environment_id BLOB NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
            role TEXT NOT NULL CHECK (role IN ('viewer', 'editor', 'owner')),
            PRIMARY KEY (user_id, environment_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX memberships_by_environment ON memberships (environment_id);

        -- A job outlives the environment that it deletes, and the person who asked.
        CREATE TABLE jobs (
            -- The order in which they came, whatever the clock said.
            sequence INTEGER PRIMARY KEY,
            id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
            kind TEXT NOT NULL CHECK (kind <> ''),
            title TEXT NOT NULL,
            environment_id BLOB NOT NULL CHECK (length(environment_id) = 16),
            actor_user_id BLOB CHECK (length(actor_user_id) = 16),
            actor_name TEXT NOT NULL,
            actor_address TEXT,
            subjects TEXT NOT NULL CHECK (json_valid(subjects)),
            reads TEXT NOT NULL CHECK (json_valid(reads)),
            program BLOB NOT NULL,
            phase TEXT NOT NULL CHECK (phase IN ('queued', 'running', 'ended')),
            started_at INTEGER,
            ended_at INTEGER,
            outcome TEXT CHECK (outcome IN ('succeeded', 'failed', 'cancelled')),
            error TEXT CHECK (error IS NULL OR json_valid(error)),
            is_cancel_requested INTEGER NOT NULL CHECK (is_cancel_requested IN (0, 1)),
            created_at INTEGER NOT NULL,
            idempotency_key TEXT,
            CHECK ((phase = 'running') = (started_at IS NOT NULL)),
            CHECK ((phase = 'ended') = (ended_at IS NOT NULL)),
            CHECK ((phase = 'ended') = (outcome IS NOT NULL)),
            CHECK ((outcome IS 'failed') = (error IS NOT NULL))
        ) STRICT;
        CREATE UNIQUE INDEX jobs_by_idempotency_key ON jobs (idempotency_key, coalesce(actor_user_id, x''))
            WHERE idempotency_key IS NOT NULL;
        CREATE INDEX jobs_by_environment ON jobs (environment_id, sequence);
        CREATE INDEX jobs_open ON jobs (sequence) WHERE phase <> 'ended';
        CREATE INDEX jobs_ended ON jobs (ended_at) WHERE phase = 'ended';

        CREATE TABLE layers (
            id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
            pool TEXT NOT NULL CHECK (pool <> ''),
            parent_id BLOB,
            size INTEGER NOT NULL CHECK (size >= 0),
            allocated INTEGER NOT NULL CHECK (allocated >= 0),
            phase TEXT NOT NULL CHECK (phase IN ('building', 'ready', 'doomed')),
            CHECK (parent_id IS NOT id),
            UNIQUE (id, pool),
            FOREIGN KEY (parent_id, pool) REFERENCES layers (id, pool) ON DELETE RESTRICT
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX layers_by_parent ON layers (parent_id);
        CREATE INDEX layers_by_pool ON layers (pool);

        CREATE TABLE instances (
            id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
            environment_id BLOB NOT NULL REFERENCES environments (id) ON DELETE RESTRICT,
            name TEXT NOT NULL CHECK (name <> ''),
            compute_offering TEXT NOT NULL,
            cpu_count INTEGER NOT NULL CHECK (cpu_count > 0),
            memory INTEGER NOT NULL CHECK (memory > 0),
            network TEXT NOT NULL CHECK (network <> ''),
            power TEXT NOT NULL CHECK (power IN ('running', 'stopped')),
            template_id BLOB CHECK (length(template_id) = 16),
            state TEXT NOT NULL CHECK (state IN ('creating', 'available', 'deleting', 'failed')),
            job_id BLOB REFERENCES jobs (id) DEFERRABLE INITIALLY DEFERRED,
            failure TEXT,
            created_at INTEGER NOT NULL,
            CHECK ((state IN ('creating', 'deleting')) = (job_id IS NOT NULL)),
            CHECK ((state = 'failed') = (failure IS NOT NULL)),
            UNIQUE (environment_id, name)
        ) STRICT;
        CREATE INDEX instances_by_name ON instances (environment_id, name COLLATE NOCASE, id);
        CREATE INDEX instances_by_creation ON instances (environment_id, created_at, id);
        CREATE INDEX instances_by_job ON instances (job_id) WHERE job_id IS NOT NULL;

        CREATE TABLE volumes (
            id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
            environment_id BLOB NOT NULL REFERENCES environments (id) ON DELETE RESTRICT,
            name TEXT NOT NULL CHECK (name <> ''),
            role TEXT NOT NULL CHECK (role IN ('root', 'data')),
            pool TEXT NOT NULL,
            size INTEGER NOT NULL CHECK (size >= 0),
            -- One writer: no layer is active in two volumes.
            active_layer_id BLOB NOT NULL UNIQUE,
            instance_id BLOB REFERENCES instances (id) ON DELETE RESTRICT,
            slot INTEGER CHECK (slot >= 0),
            disk_offering TEXT,
            template_id BLOB CHECK (length(template_id) = 16),
            state TEXT NOT NULL CHECK (state IN ('creating', 'available', 'deleting', 'failed')),
            job_id BLOB REFERENCES jobs (id) DEFERRABLE INITIALLY DEFERRED,
            failure TEXT,
            created_at INTEGER NOT NULL,
            search_text TEXT NOT NULL,
            CHECK ((instance_id IS NULL) = (slot IS NULL)),
            CHECK ((state IN ('creating', 'deleting')) = (job_id IS NOT NULL)),
            CHECK ((state = 'failed') = (failure IS NOT NULL)),
            UNIQUE (environment_id, name),
            UNIQUE (instance_id, slot),
            FOREIGN KEY (active_layer_id, pool) REFERENCES layers (id, pool) ON DELETE RESTRICT
        ) STRICT;
        CREATE INDEX volumes_by_name ON volumes (environment_id, name COLLATE NOCASE, id);
        CREATE INDEX volumes_by_creation ON volumes (environment_id, created_at, id);
        CREATE INDEX volumes_by_job ON volumes (job_id) WHERE job_id IS NOT NULL;

        -- What it says about its volume and instance is history: both may be gone.
        CREATE TABLE snapshots (
            id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
            environment_id BLOB NOT NULL REFERENCES environments (id) ON DELETE RESTRICT,
            name TEXT NOT NULL CHECK (name <> ''),
            description TEXT NOT NULL,
            source_volume_id BLOB NOT NULL CHECK (length(source_volume_id) = 16),
            source_volume_name TEXT NOT NULL,
            source_role TEXT NOT NULL CHECK (source_role IN ('root', 'data')),
            source_instance_id BLOB CHECK (length(source_instance_id) = 16),
            source_instance_name TEXT,
            pool TEXT NOT NULL,
            layer_id BLOB NOT NULL,
            size INTEGER NOT NULL CHECK (size >= 0),
            origin TEXT NOT NULL CHECK (origin IN ('manual', 'undo')),
            undo_volume_id BLOB CHECK (length(undo_volume_id) = 16),
            undo_expires_at INTEGER,
            group_id BLOB CHECK (length(group_id) = 16),
            consistency TEXT NOT NULL CHECK (json_valid(consistency)),
            digest TEXT,
            verified_at INTEGER,
            state TEXT NOT NULL CHECK (state IN ('creating', 'available', 'deleting', 'failed')),
            job_id BLOB REFERENCES jobs (id) DEFERRABLE INITIALLY DEFERRED,
            failure TEXT,
            created_at INTEGER NOT NULL,
            search_text TEXT NOT NULL,
            CHECK ((origin = 'undo') = (undo_volume_id IS NOT NULL)),
            CHECK ((origin = 'undo') = (undo_expires_at IS NOT NULL)),
            CHECK ((digest IS NULL) = (verified_at IS NULL)),
            CHECK ((state IN ('creating', 'deleting')) = (job_id IS NOT NULL)),
            CHECK ((state = 'failed') = (failure IS NOT NULL)),
            UNIQUE (environment_id, name),
            FOREIGN KEY (layer_id, pool) REFERENCES layers (id, pool) ON DELETE RESTRICT
        ) STRICT;
        CREATE INDEX snapshots_by_name ON snapshots (environment_id, name COLLATE NOCASE, id);
        CREATE INDEX snapshots_by_creation ON snapshots (environment_id, created_at, id);
        CREATE INDEX snapshots_by_layer ON snapshots (layer_id);
        CREATE INDEX snapshots_by_volume ON snapshots (source_volume_id);
        CREATE INDEX snapshots_by_instance ON snapshots (source_instance_id) WHERE source_instance_id IS NOT NULL;
        CREATE INDEX snapshots_by_group ON snapshots (group_id) WHERE group_id IS NOT NULL;
        CREATE INDEX snapshots_by_undo ON snapshots (undo_volume_id, created_at) WHERE undo_volume_id IS NOT NULL;
        CREATE INDEX snapshots_by_expiry ON snapshots (undo_expires_at) WHERE undo_expires_at IS NOT NULL;
        CREATE INDEX snapshots_by_job ON snapshots (job_id) WHERE job_id IS NOT NULL;

        CREATE TABLE templates (
            id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
            environment_id BLOB NOT NULL REFERENCES environments (id) ON DELETE RESTRICT,
            name TEXT NOT NULL CHECK (name <> ''),
            description TEXT NOT NULL,
            pool TEXT NOT NULL,
            layer_id BLOB NOT NULL,
            size INTEGER NOT NULL CHECK (size >= 0),
            os_type TEXT NOT NULL,
            is_ssh_key_enabled INTEGER NOT NULL CHECK (is_ssh_key_enabled IN (0, 1)),
            is_password_enabled INTEGER NOT NULL CHECK (is_password_enabled IN (0, 1)),
            is_dynamically_scalable INTEGER NOT NULL CHECK (is_dynamically_scalable IN (0, 1)),
            is_public INTEGER NOT NULL CHECK (is_public IN (0, 1)),
            state TEXT NOT NULL CHECK (state IN ('creating', 'available', 'deleting', 'failed')),
            job_id BLOB REFERENCES jobs (id) DEFERRABLE INITIALLY DEFERRED,
            failure TEXT,
            created_at INTEGER NOT NULL,
            CHECK ((state IN ('creating', 'deleting')) = (job_id IS NOT NULL)),
            CHECK ((state = 'failed') = (failure IS NOT NULL)),
            UNIQUE (environment_id, name),
            FOREIGN KEY (layer_id, pool) REFERENCES layers (id, pool) ON DELETE RESTRICT
        ) STRICT;
        CREATE INDEX templates_by_layer ON templates (layer_id);
        CREATE INDEX templates_public ON templates (is_public) WHERE is_public = 1;
        CREATE INDEX templates_by_job ON templates (job_id) WHERE job_id IS NOT NULL;

        -- History: refers to nothing, so that everything it speaks of can go.
        CREATE TABLE activity (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            environment_id BLOB CHECK (length(environment_id) = 16),
            actor_user_id BLOB CHECK (length(actor_user_id) = 16),
            actor_name TEXT NOT NULL,
            actor_address TEXT,
            event TEXT NOT NULL CHECK (event <> ''),
            subject_kind TEXT NOT NULL,
            subject_id TEXT NOT NULL,
            subject_name TEXT NOT NULL,
            job_id BLOB CHECK (length(job_id) = 16),
            status TEXT NOT NULL CHECK (status IN ('started', 'succeeded', 'failed', 'cancelled')),
            message TEXT,
            created_at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX activity_by_environment ON activity (environment_id, created_at);
        CREATE INDEX activity_by_user ON activity (actor_user_id, created_at);
        CREATE INDEX activity_by_creation ON activity (created_at);

        """ + tallies

    // Every page of a list says how long the whole list is. Counting takes time that grows with the list, so the usual
    // totals are kept by triggers, in the transactions that change them.
    private static let tallies =
        """
        CREATE TABLE tallies (
            list TEXT NOT NULL,
            -- Empty for what belongs to no environment.
            environment_id BLOB NOT NULL,
            state TEXT NOT NULL,
            count INTEGER NOT NULL CHECK (count >= 0),
            PRIMARY KEY (list, environment_id, state)
        ) STRICT, WITHOUT ROWID;

        """
        + tallyTriggers(of: "activity", by: "status")
        + tallyTriggers(of: "instances", by: "state")
        + tallyTriggers(of: "jobs", by: "phase")
        + tallyTriggers(of: "snapshots", by: "state")
        + tallyTriggers(of: "volumes", by: "state")

    private static func tallyTriggers(of table: String, by state: String) -> String {
        """
        CREATE TRIGGER \(table)_tally_insert AFTER INSERT ON \(table) BEGIN
            INSERT INTO tallies VALUES ('\(table)', coalesce(NEW.environment_id, x''), NEW.\(state), 1)
                ON CONFLICT DO UPDATE SET count = count + 1;
        END;
        CREATE TRIGGER \(table)_tally_delete AFTER DELETE ON \(table) BEGIN
            UPDATE tallies SET count = count - 1
                WHERE list = '\(table)' AND environment_id = coalesce(OLD.environment_id, x'') AND state = OLD.\(state);
        END;
        CREATE TRIGGER \(table)_tally_update AFTER UPDATE OF environment_id, \(state) ON \(table)
        WHEN OLD.\(state) <> NEW.\(state) OR OLD.environment_id IS NOT NEW.environment_id BEGIN
            UPDATE tallies SET count = count - 1
                WHERE list = '\(table)' AND environment_id = coalesce(OLD.environment_id, x'') AND state = OLD.\(state);
            INSERT INTO tallies VALUES ('\(table)', coalesce(NEW.environment_id, x''), NEW.\(state), 1)
                ON CONFLICT DO UPDATE SET count = count + 1;
        END;

        """
    }
}
