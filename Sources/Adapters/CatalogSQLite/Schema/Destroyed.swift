extension CatalogSchema {
    /// Instances and volumes can be put aside; their names are free then.
    ///
    /// A check cannot be changed in place, so both tables are made anew. Foreign keys are off meanwhile, and compared at the end
    /// of the migration; what goes with a table (its indexes and triggers) is made again.
    static let destroyed =
        """
        CREATE TABLE new_instances (
            id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
            environment_id BLOB NOT NULL REFERENCES environments (id) ON DELETE RESTRICT,
            name TEXT NOT NULL CHECK (name <> ''),
            compute_offering TEXT NOT NULL,
            cpu_count INTEGER NOT NULL CHECK (cpu_count > 0),
            memory INTEGER NOT NULL CHECK (memory > 0),
            network TEXT NOT NULL CHECK (network <> ''),
            power TEXT NOT NULL CHECK (power IN ('running', 'stopped')),
            template_id BLOB CHECK (length(template_id) = 16),
            state TEXT NOT NULL CHECK (state IN ('creating', 'available', 'deleting', 'failed', 'destroyed')),
            job_id BLOB REFERENCES jobs (id) DEFERRABLE INITIALLY DEFERRED,
            failure TEXT,
            created_at INTEGER NOT NULL,
            destroyed_at INTEGER,
            CHECK ((state IN ('creating', 'deleting')) = (job_id IS NOT NULL)),
            CHECK ((state = 'failed') = (failure IS NOT NULL)),
            CHECK ((state = 'destroyed') = (destroyed_at IS NOT NULL))
        ) STRICT;
        INSERT INTO new_instances
            SELECT id, environment_id, name, compute_offering, cpu_count, memory, network, power, template_id, state, job_id, failure,
                created_at, NULL
            FROM instances;
        DROP TABLE instances;
        ALTER TABLE new_instances RENAME TO instances;
        CREATE UNIQUE INDEX instances_named ON instances (environment_id, name) WHERE state <> 'destroyed';
        CREATE INDEX instances_by_name ON instances (environment_id, name COLLATE NOCASE, id);
        CREATE INDEX instances_by_creation ON instances (environment_id, created_at, id);
        CREATE INDEX instances_by_job ON instances (job_id) WHERE job_id IS NOT NULL;
        CREATE INDEX instances_destroyed ON instances (destroyed_at) WHERE destroyed_at IS NOT NULL;
        CREATE TRIGGER instances_tally_insert AFTER INSERT ON instances BEGIN
            INSERT INTO tallies VALUES ('instances', NEW.environment_id, NEW.state, 1)
                ON CONFLICT DO UPDATE SET count = count + 1;
        END;
        CREATE TRIGGER instances_tally_delete AFTER DELETE ON instances BEGIN
            UPDATE tallies SET count = count - 1
                WHERE list = 'instances' AND environment_id = OLD.environment_id AND state = OLD.state;
        END;
        CREATE TRIGGER instances_tally_update AFTER UPDATE OF environment_id, state ON instances
        WHEN OLD.state <> NEW.state OR OLD.environment_id IS NOT NEW.environment_id BEGIN
            UPDATE tallies SET count = count - 1
                WHERE list = 'instances' AND environment_id = OLD.environment_id AND state = OLD.state;
            INSERT INTO tallies VALUES ('instances', NEW.environment_id, NEW.state, 1)
                ON CONFLICT DO UPDATE SET count = count + 1;
        END;
        CREATE TRIGGER instances_retire AFTER DELETE ON instances BEGIN
            INSERT OR IGNORE INTO retired VALUES (OLD.id, 'instance', OLD.environment_id);
            DELETE FROM tags WHERE resource_id = OLD.id;
        END;

        CREATE TABLE new_volumes (
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
            state TEXT NOT NULL CHECK (state IN ('creating', 'available', 'deleting', 'failed', 'destroyed')),
            job_id BLOB REFERENCES jobs (id) DEFERRABLE INITIALLY DEFERRED,
            failure TEXT,
            created_at INTEGER NOT NULL,
            search_text TEXT NOT NULL,
            destroyed_at INTEGER,
            CHECK ((instance_id IS NULL) = (slot IS NULL)),
            CHECK ((state IN ('creating', 'deleting')) = (job_id IS NOT NULL)),
            CHECK ((state = 'failed') = (failure IS NOT NULL)),
            CHECK ((state = 'destroyed') = (destroyed_at IS NOT NULL)),
            UNIQUE (instance_id, slot),
            FOREIGN KEY (active_layer_id, pool) REFERENCES layers (id, pool) ON DELETE RESTRICT
        ) STRICT;
        INSERT INTO new_volumes
            SELECT id, environment_id, name, role, pool, size, active_layer_id, instance_id, slot, disk_offering, template_id, state,
                job_id, failure, created_at, search_text, NULL
            FROM volumes;
        DROP TABLE volumes;
        ALTER TABLE new_volumes RENAME TO volumes;
        CREATE UNIQUE INDEX volumes_named ON volumes (environment_id, name) WHERE state <> 'destroyed';
        CREATE INDEX volumes_by_name ON volumes (environment_id, name COLLATE NOCASE, id);
        CREATE INDEX volumes_by_creation ON volumes (environment_id, created_at, id);
        CREATE INDEX volumes_by_job ON volumes (job_id) WHERE job_id IS NOT NULL;
        CREATE INDEX volumes_destroyed ON volumes (destroyed_at) WHERE destroyed_at IS NOT NULL;
        CREATE TRIGGER volumes_tally_insert AFTER INSERT ON volumes BEGIN
            INSERT INTO tallies VALUES ('volumes', NEW.environment_id, NEW.state, 1)
                ON CONFLICT DO UPDATE SET count = count + 1;
        END;
        CREATE TRIGGER volumes_tally_delete AFTER DELETE ON volumes BEGIN
            UPDATE tallies SET count = count - 1
                WHERE list = 'volumes' AND environment_id = OLD.environment_id AND state = OLD.state;
        END;
        CREATE TRIGGER volumes_tally_update AFTER UPDATE OF environment_id, state ON volumes
        WHEN OLD.state <> NEW.state OR OLD.environment_id IS NOT NEW.environment_id BEGIN
            UPDATE tallies SET count = count - 1
                WHERE list = 'volumes' AND environment_id = OLD.environment_id AND state = OLD.state;
            INSERT INTO tallies VALUES ('volumes', NEW.environment_id, NEW.state, 1)
                ON CONFLICT DO UPDATE SET count = count + 1;
        END;
        CREATE TRIGGER volumes_retire AFTER DELETE ON volumes BEGIN
            INSERT OR IGNORE INTO retired VALUES (OLD.id, 'volume', OLD.environment_id);
            DELETE FROM tags WHERE resource_id = OLD.id;
        END;
        """
}
