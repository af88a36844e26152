"""The tests of the fast path: they go with it. Without it (MINIGAN_PLAIN=1) there is nothing here
to test."""

import minigan

collect_ignore_glob = [] if hasattr(minigan, "fast") else ["*"]
