// Nothing to call: linked into the tests, it makes the thread sanitizer understand Swift's Mutex. See MutexAnnotations.c.
