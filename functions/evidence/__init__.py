"""Evidence: packs of exhibits that legal can hand on, and the proof that nobody changed them."""
