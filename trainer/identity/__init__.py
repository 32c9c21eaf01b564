"""Who is seen: identity networks for losses and measures, behind one door (``open_identity``)."""

from trainer.identity.alignment import points_of
from trainer.identity.network import IdentityNetwork, identity_loss, open_identity

__all__ = ["IdentityNetwork", "identity_loss", "open_identity", "points_of"]
