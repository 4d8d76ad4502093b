/// Every word of tables that is shown in the reader's language: the message catalogue of the command line.
///
/// A case without a word in some language does not compile. Messages and help are English.
enum Word: String, Sendable, CaseIterable {
    // States.
    case attaching, backedUp, creating, damaged, destroying, detaching, error, inProgress, pending, ready, resizing
    case reverting, running, snapshotting, starting, stopped, stopping, unknown
    case queued, succeeded, failed, cancelled
    case provisioned, purging
    case moving, down, notConfigured, slow

    // What a check of a pool tries.
    case stepAnswer, stepCreate, stepWrite, stepRead, stepDelete

    // Kinds of volume, and answers.
    case systemDisk, dataDisk, yes, no

    // Titles.
    case accelerator, achieved, address, agent, before, collectable, consistency, cpus, created, damagedSnapshots,
        damageFound, dependents, depth, description
    case digest, diskOffering, ended, environment, event, exclusive, failure, free, frozen, group, id
    case instance, kind, memory, message, name, network, offering, operatingSystem, parent, pool
    case progress, queuedTasks, requested, runningTasks, service, shared, size, snapshot, sshPort, started,
        state, subject, template
    case disabled, environments, key, lastUsed, `operator`, password, role, secret
    case limit, reserve, standard, duration, total, trouble, undo, used, user, verified, version, volume, volumes, when

    func text(in language: Language) -> String {
        switch language {
        case .english: words.en
        case .spanish: words.es
        case .french: words.fr
        }
    }

    private var words: (en: String, es: String, fr: String) {
        switch self {
        case .attaching: ("Attaching", "Conectando", "Connexion")
        case .backedUp: ("Completed", "Completado", "Terminé")
        case .creating: ("Creating", "Creando", "Création")
        case .damaged: ("Damaged", "Dañada", "Endommagé")
        case .destroying: ("Destroying", "Destrucción", "Destruction")
        case .detaching: ("Detaching", "Desconectando", "Déconnexion")
        case .error: ("Error", "Error", "Erreur")
        case .inProgress: ("In progress", "En progreso", "En cours")
        case .pending: ("Pending", "Pendiente", "En attente")
        case .ready: ("Ready", "Listo", "Prêt")
        case .resizing: ("Resizing", "Redimensionando", "Redimensionnement")
        case .reverting: ("Reverting", "Revirtiendo", "Restauration")
        case .running: ("Running", "En ejecución", "En marche")
        case .snapshotting: ("Snapshot in progress", "Copia instantánea en curso", "Instantané en cours")
        case .starting: ("Starting", "Iniciando", "Démarrage")
        case .stopped: ("Stopped", "Detenida", "Arrêtée")
        case .stopping: ("Stopping", "Deteniendo", "Arrêt en cours")
        case .unknown: ("Unknown", "Desconocido", "Inconnu")
        case .queued: ("Queued", "En cola", "En file")
        case .succeeded: ("Done", "Terminada", "Terminée")
        case .failed: ("Failed", "Fallida", "Échouée")
        case .cancelled: ("Cancelled", "Cancelada", "Annulée")
        case .provisioned: ("Ready", "Listo", "Prêt")
        case .purging: ("Destroying", "Destrucción", "Destruction")

        case .moving: ("Moving", "Moviendo", "Déplacement")
        case .down: ("Down", "Caído", "Hors service")
        case .notConfigured: ("Not configured", "Sin configurar", "Non configuré")
        case .slow: ("Slow", "Lento", "Lent")

        case .stepAnswer: ("Answer", "Responder", "Répondre")
        case .stepCreate: ("Create", "Crear", "Créer")
        case .stepWrite: ("Write", "Escribir", "Écrire")
        case .stepRead: ("Read back", "Releer", "Relire")
        case .stepDelete: ("Delete", "Eliminar", "Supprimer")

        case .systemDisk: ("OS", "SO", "OS")
        case .dataDisk: ("Data", "Datos", "Données")
        case .yes: ("yes", "sí", "oui")
        case .no: ("no", "no", "non")

        case .accelerator: ("Accelerator", "Acelerador", "Accélérateur")
        case .achieved: ("Achieved", "Lograda", "Obtenue")
        case .address: ("Address", "Dirección", "Adresse")
        case .agent: ("Agent", "Agente", "Agent")
        case .before: ("Before", "Antes", "Avant")
        case .collectable: ("Collectable", "Recuperable", "Récupérable")
        case .consistency: ("Consistency", "Coherencia", "Cohérence")
        case .cpus: ("CPUs", "CPU", "CPU")
        case .created: ("Created", "Creación", "Création")
        case .damagedSnapshots: ("Damaged snapshots", "Copias instantáneas dañadas", "Instantanés endommagés")
        case .damageFound: ("Damage found", "Daño detectado", "Dommage constaté")
        case .dependents: ("Dependents", "Dependientes", "Dépendants")
        case .depth: ("Layers", "Capas", "Couches")
        case .description: ("Description", "Descripción", "Description")
        case .digest: ("Digest", "Resumen", "Empreinte")
        case .diskOffering: ("Disk offering", "Oferta de disco", "Offre de disque")
        case .disabled: ("Disabled", "Desactivado", "Désactivé")
        case .ended: ("Ended", "Fin", "Fin")
        case .environment: ("Environment", "Entorno", "Environnement")
        case .environments: ("Environments", "Entornos", "Environnements")
        case .event: ("Event", "Evento", "Événement")
        case .exclusive: ("Exclusive", "Exclusivo", "Exclusif")
        case .failure: ("Reason", "Motivo", "Motif")
        case .free: ("Free", "Libre", "Libre")
        case .frozen: ("Frozen", "Congelado", "Gel")
        case .group: ("Group", "Grupo", "Groupe")
        case .id: ("ID", "ID", "ID")
        case .instance: ("Instance", "Instancia", "Instance")
        case .key: ("Key", "Clave", "Clé")
        case .kind: ("Type", "Tipo", "Type")
        case .lastUsed: ("Last used", "Último uso", "Dernier usage")
        case .memory: ("Memory", "Memoria", "Mémoire")
        case .message: ("Message", "Mensaje", "Message")
        case .name: ("Name", "Nombre", "Nom")
        case .network: ("Network", "Red", "Réseau")
        case .offering: ("Offering", "Oferta", "Offre")
        case .operator: ("Operator", "Operador", "Opérateur")
        case .operatingSystem: ("OS type", "Tipo de SO", "Type d’OS")
        case .parent: ("Parent", "Anterior", "Parent")
        case .password: ("Password", "Contraseña", "Mot de passe")
        case .pool: ("Pool", "Almacén", "Réserve")
        case .progress: ("Progress", "Progreso", "Progression")
        case .queuedTasks: ("Queued tasks", "Tareas en cola", "Tâches en file")
        case .requested: ("Requested", "Solicitada", "Demandée")
        case .role: ("Role", "Rol", "Rôle")
        case .runningTasks: ("Running tasks", "Tareas en curso", "Tâches en cours")
        case .secret: ("Secret", "Secreto", "Secret")
        case .service: ("Service", "Servicio", "Service")
        case .shared: ("Shared", "Compartido", "Partagé")
        case .size: ("Size", "Tamaño", "Taille")
        case .snapshot: ("Snapshot", "Copia instantánea", "Instantané")
        case .sshPort: ("SSH", "SSH", "SSH")
        case .started: ("Started", "Inicio", "Début")
        case .state: ("State", "Estado", "État")
        case .subject: ("Subject", "Objeto", "Objet")
        case .template: ("Template", "Plantilla", "Modèle")
        case .limit: ("Limit", "Límite", "Limite")
        case .reserve: ("Reserve", "Reserva", "Réserve libre")
        case .standard: ("Default", "Predeterminado", "Par défaut")
        case .duration: ("Time", "Tiempo", "Durée")
        case .total: ("Total", "Total", "Total")
        case .trouble: ("Trouble", "Problema", "Problème")
        case .undo: ("Undo", "Deshacer", "Annulation")
        case .used: ("Used", "Usado", "Utilisé")
        case .user: ("User", "Usuario", "Utilisateur")
        case .verified: ("Verified", "Verificado", "Vérifié")
        case .version: ("Version", "Versión", "Version")
        case .volume: ("Volume", "Volumen", "Volume")
        case .volumes: ("Volumes", "Volúmenes", "Volumes")
        case .when: ("When", "Cuándo", "Quand")
        }
    }
}
