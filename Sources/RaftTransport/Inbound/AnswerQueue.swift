import DequeModule
import NIOCore

/// Keeps the answers of one stream in the order of its requests, whenever they are given.
struct AnswerQueue {
  private struct Entry {
    let requestBytes: Int
    var answer: ByteBuffer?
  }

  /// An answer whose turn has come, and the bytes of its request, which may be credited now.
  struct Ready {
    let answer: ByteBuffer
    let requestBytes: Int
  }

  private var entries = Deque<Entry>()
  /// The number of the first entry.
  private var first: UInt64 = 0

  /// Requests that wait for their answers, or for the answers in front of theirs.
  var count: Int { entries.count }

  var isEmpty: Bool { entries.isEmpty }

  /// Notes a request; its answer comes with the returned number.
  mutating func addRequest(byteCount: Int) -> UInt64 {
    entries.append(Entry(requestBytes: byteCount, answer: nil))
    return first + UInt64(entries.count - 1)
  }

  /// Takes the answer to a request. Each number is answered once.
  mutating func fulfil(_ request: UInt64, with answer: ByteBuffer) {
    precondition(request >= first && request - first < UInt64(entries.count), "no such request")
    let index = Int(request - first)
    precondition(entries[index].answer == nil, "answered twice")
    entries[index].answer = answer
  }

  /// The next answer that may go out.
  mutating func popReady() -> Ready? {
    guard let entry = entries.first, let answer = entry.answer else { return nil }
    entries.removeFirst()
    first += 1
    return Ready(answer: answer, requestBytes: entry.requestBytes)
  }
}
