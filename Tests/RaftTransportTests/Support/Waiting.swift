import RaftTransport
import Testing

/// Runs a body and closes the transports behind it, whatever happens.
func closing<Result>(
  _ transports: MuxTransport..., isolation: isolated (any Actor)? = #isolation,
  _ body: () async throws -> Result
) async throws -> Result {
  let outcome: Swift.Result<Result, any Error>
  do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
  for transport in transports { await transport.close() }
  return try outcome.get()
}

/// What a test waited for did not come.
struct NeverHappened: Error, CustomStringConvertible {
  let description: String
}

/// Waits until a condition holds that no event announces. The limit is only there so that a failure is not a hang.
func eventually(
  _ what: String, within limit: Duration = .seconds(60), isolation: isolated (any Actor)? = #isolation,
  _ condition: () async throws -> Bool
) async throws {
  let end = ContinuousClock.now + limit
  while try await !condition() {
    guard ContinuousClock.now < end else { throw NeverHappened(description: what) }
    // The condition is what is waited for; the pause leaves the processor to whoever brings it about.
    try await Task.sleep(for: .milliseconds(2))
  }
}

/// The error of a call that has to fail.
func failure<Value>(
  _ what: String, sourceLocation: SourceLocation = #_sourceLocation,
  isolation: isolated (any Actor)? = #isolation, _ call: () async throws -> Value
) async throws -> TransportError {
  do {
    let value = try await call()
    Issue.record("\(what) succeeded with \(value)", sourceLocation: sourceLocation)
  } catch let error as TransportError {
    return error
  }
  throw NeverHappened(description: "\(what) fails")
}
