"""The keys that encrypt secrets at rest: whether they are the right ones, and putting every secret under the newest."""

from engine.runtime.opening import secret_place
from engine.security.secrets import KeyRing
from storage.database import Database, Unit
from storage.queries import audit, integrations


def demand_right(database: Database, keys: KeyRing) -> None:
    """Raise ``UserError`` when a stored secret does not open: better not to start than to fail at every shop."""
    for integration_id, name, ciphertext in database.read(integrations.all_secrets):
        keys.decrypt(ciphertext, place=secret_place(integration_id, name))


def rotate(database: Database, keys: KeyRing, *, person: str) -> int:
    """Encrypt anew what is not yet under the first key; returns how many secrets that were. Older keys may go then."""

    def work(unit: Unit) -> int:
        count = 0
        for integration_id, name, ciphertext in integrations.all_secrets(unit, locks=True):  # tokens renew themselves
            rotated = keys.rotate(ciphertext, place=secret_place(integration_id, name))
            if rotated != ciphertext:
                integrations.keep_secret(unit, integration_id, name=name, ciphertext=rotated)
                count += 1
        audit.record(unit, person=person, action="rotate_keys", subject="secrets", detail={"count": count})
        return count

    return database.write(work)
