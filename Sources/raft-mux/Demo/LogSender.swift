import Crypto
import NIOCore
import RaftTransport
import Synchronization

/// What the leader handed to one follower's pipeline.
struct SentLog: Sendable, Equatable {
  var entries: UInt64 = 0
  var bytes: UInt64 = 0
  /// Requests, each with up to a batch of entries.
  var requests = 0
  /// Requests that the follower has answered with success.
  var acknowledged = 0
  /// Whether nothing more will be sent.
  var isComplete = false
  /// How often the file was gone through to its end.
  var passes = 0
  /// The digest of the entries' data put one behind the other, made from what was read from the file.
  var sha256 = ""
  /// What ended the sending too early.
  var failure: String?
}

/// Replicates the lines of a file to one follower through a pipeline, over and over while there is time.
final class LogSender: Sendable {
  let leader: DemoNode
  let follower: Peer
  let path: String
  /// Entries per AppendEntries request.
  let batch: Int
  let pace: Pace
  private let progress = Mutex(SentLog())

  init(leader: DemoNode, follower: Peer, path: String, batch: Int, pace: Pace) {
    self.leader = leader
    self.follower = follower
    self.path = path
    self.batch = batch
    self.pace = pace
  }

  /// How far the sending has come.
  var sent: SentLog { self.progress.withLock { $0 } }

  /// Sends until the time is over; goes through the file once at least, unless interrupted.
  func run() async -> SentLog {
    do {
      try await self.leader.transport.withAppendPipeline(
        id: ServerID(self.follower.id), target: ServerAddress(self.follower.address)
      ) { pipeline in
        try await withThrowingTaskGroup(of: Void.self) { group in
          for work in [self.fill, self.takeAnswers] {
            group.addTask {
              // What goes wrong in one has to end the other, too.
              do {
                try await work(pipeline)
              } catch {
                await pipeline.close()
                throw error
              }
            }
          }
          try await group.waitForAll()
        }
      }
    } catch {
      self.progress.withLock { $0.failure = "\(error)" }
      self.pace.cutShort()
    }
    return self.sent
  }

  @Sendable private func fill(_ pipeline: any AppendPipeline) async throws {
    var digest = SHA256()
    var index: UInt64 = 0
    repeat {
      var file = try LogFile(path: self.path)
      while !self.pace.isInterrupted {
        let lines = try file.nextLines(self.batch)
        if lines.isEmpty {
          self.progress.withLock { $0.passes += 1 }
          break
        }
        let request = self.request(lines, after: index)
        for line in lines { digest.update(line) }
        index += UInt64(lines.count)
        self.progress.withLock { sent in
          sent.entries = index
          sent.bytes += lines.reduce(0) { $0 + UInt64($1.readableBytes) }
          sent.requests += 1
        }
        // The leader's log is as long as the longest that a follower has got of it.
        self.leader.leaderPosition.advance(to: index)
        _ = try await pipeline.appendEntries(request)
      }
    } while self.pace.hasTimeLeft && index > 0
    let isAnswered = self.progress.withLock { sent in
      sent.sha256 = digest.finalize().hexadecimal
      sent.isComplete = true
      return sent.acknowledged == sent.requests
    }
    // Otherwise the last answer closes it.
    if isAnswered { await pipeline.close() }
  }

  private func request(_ lines: [ByteBuffer], after index: UInt64) -> AppendEntriesRequest {
    let entries = lines.enumerated().map { offset, line in
      LogEntry(index: index + UInt64(offset) + 1, term: DemoTerm.current, data: line)
    }
    return AppendEntriesRequest(
      header: self.leader.header, term: DemoTerm.current, leader: self.leader.header.address,
      previousLogIndex: index, previousLogTerm: index == 0 ? 0 : DemoTerm.current, entries: entries)
  }

  @Sendable private func takeAnswers(of pipeline: any AppendPipeline) async throws {
    for await future in pipeline.consumer {
      let response = try await future.response
      let expected = future.request.previousLogIndex + UInt64(future.request.entries?.count ?? 0)
      guard response.success, response.lastLog == expected else {
        throw DemoError("\(self.follower.id) is at entry \(response.lastLog) after being sent \(expected)")
      }
      let isLast = self.progress.withLock { sent in
        sent.acknowledged += 1
        return sent.isComplete && sent.acknowledged == sent.requests
      }
      if isLast { await pipeline.close() }
    }
  }
}

/// Why the demo cannot go on, for people.
struct DemoError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}
