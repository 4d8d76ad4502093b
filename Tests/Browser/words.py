"""What the pages say, in each language: written down from the guide that people follow, not read from the program."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    locale: str
    # Signing in, and the frame
    user: str
    password: str
    sign_in: str
    sections: str
    action: str
    apply: str
    cancel: str
    # Tabs
    instances: str
    volumes: str
    snapshots: str
    templates: str
    # Taking and deleting
    name: str
    take_snapshot: str
    create_snapshot: str
    delete_snapshot: str
    root: str
    data: str
    volume: str
    state: str
    # States
    ready: str
    snapshotting: str
    in_progress: str
    completed: str
    destroying: str


SPANISH = Words(
    locale="es-ES", user="Usuario", password="Contraseña", sign_in="Entrar", sections="Secciones del entorno",
    action="Acción", apply="Aplicar", cancel="Cancelar",
    instances="Instancias", volumes="Volúmenes", snapshots="Copias instantáneas", templates="Plantillas",
    name="Nombre", take_snapshot="Tomar copia instantánea", create_snapshot="Crear copia instantánea",
    delete_snapshot="Eliminar copia instantánea", root="SO", data="Datos", volume="Volumen", state="Estado",
    ready="Listo", snapshotting="Copia instantánea en curso", in_progress="En progreso", completed="Completado",
    destroying="Destrucción")

ENGLISH = Words(
    locale="en-GB", user="User", password="Password", sign_in="Sign in", sections="Sections of the environment",
    action="Action", apply="Submit", cancel="Cancel",
    instances="Instances", volumes="Volumes", snapshots="Snapshots", templates="Templates",
    name="Name", take_snapshot="Take snapshot", create_snapshot="Create snapshot",
    delete_snapshot="Delete snapshot", root="OS", data="Data", volume="Volume", state="State",
    ready="Ready", snapshotting="Snapshot in progress", in_progress="In progress", completed="Completed",
    destroying="Destroying")

FRENCH = Words(
    locale="fr-CA", user="Utilisateur", password="Mot de passe", sign_in="Se connecter",
    sections="Sections de l’environnement", action="Action", apply="Appliquer", cancel="Annuler",
    instances="Instances", volumes="Volumes", snapshots="Instantanés", templates="Modèles",
    name="Nom", take_snapshot="Prendre un instantané", create_snapshot="Créer un instantané",
    delete_snapshot="Supprimer l’instantané", root="OS", data="Données", volume="Volume", state="État",
    ready="Prêt", snapshotting="Instantané en cours", in_progress="En cours", completed="Terminé",
    destroying="Destruction")
