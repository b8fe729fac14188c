// Users speak of requests, responses and log entries all the time; one import gives them the whole vocabulary.
// Swift has no stable spelling for a re-export yet, so this file is the only place that uses the underscored one.
@_exported public import RaftWire
