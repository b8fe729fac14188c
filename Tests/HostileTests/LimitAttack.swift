import Foundation
import NIOCore
import RaftTransport
import RaftTransportTesting
import Testing

@testable import StreamMux

/// What a peer behind its handshake does beyond a limit, and with which reason its connection ends.
struct LimitAttack: Sendable, CustomTestStringConvertible {
  let name: String
  /// The limits of `Spec/limits.md` that it breaks.
  let limits: [String]
  let code: ErrorCode
  /// Words of the reason in the log.
  let reason: String
  /// Carries it out. The number is the first of the peer's streams, 1 or 2.
  let carryOut: @Sendable (RawPeer, UInt64) async throws -> Void

  var testDescription: String { name }

  /// Many frames at once, built without encoding rules in the way.
  private static func many(_ count: Int, _ write: (Int, inout ByteBuffer) -> Void) -> ByteBuffer {
    var bytes = ByteBuffer()
    for index in 0..<count { write(index, &bytes) }
    return bytes
  }

  private static func opening(_ trafficClass: UInt8) -> DataHeader.Opening {
    DataHeader.Opening(trafficClass: trafficClass, encoding: 0, group: 0)
  }

  private static func write(_ header: DataHeader, _ bytes: Int = 0, into buffer: inout ByteBuffer) {
    FrameEncoder().write(header, payload: ByteBuffer(repeating: 1, count: bytes), into: &buffer)
  }

  private static func streams(_ trafficClass: TrafficClass, beyond credit: Int) -> LimitAttack {
    LimitAttack(
      name: "more \(trafficClass) streams than were allowed",
      limits: ["initial\("\(trafficClass)".capitalized)Streams"],
      code: .streamLimit, reason: "more than \(credit) \(trafficClass) streams"
    ) { peer, first in
      let frames = many(credit + 1) { index, bytes in
        write(
          DataHeader(
            stream: first + 2 * UInt64(index), opening: opening(trafficClass.rawValue), byteCount: 1), 1,
          into: &bytes)
      }
      await peer.send(frames)
    }
  }

  static let all: [LimitAttack] = [
    LimitAttack(
      name: "PINGs", limits: ["pings"], code: .excessiveLoad, reason: "PING frames"
    ) { peer, _ in
      await peer.send(many(500) { FrameEncoder().write(.ping(UInt64($0)), into: &$1) })
    },
    LimitAttack(
      name: "frames to ignore", limits: ["ignorableFrames"], code: .excessiveLoad, reason: "frames to ignore"
    ) { peer, _ in
      await peer.send(many(500) { FrameHeader(type: 0x99).write(into: &$1) })
    },
    LimitAttack(
      name: "a large frame to ignore", limits: ["ignorablePayload"], code: .excessiveLoad, reason: "to ignore"
    ) { peer, _ in
      await peer.send(many(1) { FrameHeader(type: 0x99, payloadLength: 4_097).write(into: &$1) })
    },
    LimitAttack(
      name: "a frame beyond the largest", limits: ["maximumFramePayload"], code: .frameSize,
      reason: "DATA of 65537 bytes"
    ) { peer, first in
      await peer.send(
        many(1) { FrameHeader(type: 0x10, payloadLength: 65_537, stream: first).write(into: &$1) })
    },
    LimitAttack(
      name: "empty DATA", limits: ["emptyData"], code: .excessiveLoad, reason: "empty DATA"
    ) { peer, first in
      await peer.open(first, .append, ByteBuffer(bytes: [0]))
      await peer.send(many(500) { write(DataHeader(stream: first, byteCount: 0), into: &$1) })
    },
    LimitAttack(
      name: "tiny DATA", limits: ["tinyData"], code: .excessiveLoad, reason: "tiny DATA"
    ) { peer, first in
      // The body of a snapshot may be anything.
      await peer.open(first, .snapshot, try bytes(of: InstallSnapshotRequest(term: 1, size: 1 << 30)))
      await peer.send(
        many(9_000) { write(DataHeader(stream: first, hasMore: true, byteCount: 1), 1, into: &$1) })
    },
    LimitAttack(
      name: "credit that does not grow", limits: ["lateFrames"], code: .excessiveLoad,
      reason: "without effect"
    ) { peer, first in
      await peer.open(first, .append, ByteBuffer(bytes: [0]))
      await peer.send(many(9_000) { FrameEncoder().write(.credit(stream: first, limit: 1), into: &$1) })
    },
    LimitAttack(
      name: "PONGs that answer nothing", limits: ["lateFrames"], code: .excessiveLoad,
      reason: "without effect"
    ) { peer, _ in
      await peer.send(many(9_000) { FrameEncoder().write(.pong(1 << 63 + UInt64($0)), into: &$1) })
    },
    LimitAttack(
      name: "STREAMS that do not grow", limits: ["idleStreams"], code: .excessiveLoad, reason: "STREAMS"
    ) { peer, _ in
      await peer.send(many(500) { FrameEncoder().write(.streams(.append, limit: 0), into: &$1) })
    },
    LimitAttack(
      name: "streams that must be reset", limits: ["provokedResets"], code: .excessiveLoad,
      reason: "streams that must be reset"
    ) { peer, first in
      await peer.send(
        many(9_000) { index, bytes in
          write(
            DataHeader(
              stream: first + 2 * UInt64(index), opening: opening(9), isLast: true, byteCount: 0),
            into: &bytes)
        })
    },
    LimitAttack(
      name: "opening and resetting", limits: ["resets"], code: .excessiveLoad, reason: "too many resets",
      carryOut: rapidResets),
    streams(.election, beyond: 64), streams(.append, beyond: 256), streams(.snapshot, beyond: 8),
    LimitAttack(
      name: "more bytes than the window", limits: ["initialWindow"], code: .flowControl,
      reason: "its credit ends at"
    ) { peer, first in
      // A whole request that nobody answers: what lies behind it is neither consumed nor part of a message.
      await peer.open(first, .append, try bytes(of: numbered(1)))
      await peer.goOn(first, ByteBuffer(repeating: 0, count: 262_144))
    },
  ]

  /// As many openings as the other side allows, each reset at once, again and again.
  private static func rapidResets(_ peer: RawPeer, _ first: UInt64) async throws {
    var (opened, allowed) = (0, 256)
    // A slow machine gives tokens back meanwhile; it cannot do so for ever.
    while opened < 100_000 {
      let next = opened
      await peer.send(
        many(allowed - opened) { index, bytes in
          let stream = first + 2 * UInt64(next + index)
          write(DataHeader(stream: stream, opening: opening(2), byteCount: 1), 1, into: &bytes)
          FrameEncoder().write(.reset(stream: stream, code: .cancelled), into: &bytes)
        })
      opened = allowed
      let more = try await peer.nextStreamCredit(.append, above: opened)
      guard let more else { return }
      allowed = more
    }
  }
}

extension RawPeer {
  /// The stream credit that the other end gives beyond what it gave; `nil` when it ends the connection.
  func nextStreamCredit(_ trafficClass: TrafficClass, above known: Int) async throws -> Int? {
    enum Heard: Sendable {
      case credit(Int)
      case end(ErrorCode)
    }
    let heard = try await next { frame -> Heard? in
      switch frame {
      case .streams(trafficClass, let limit) where limit > UInt64(known): .credit(Int(limit))
      case .goAway(let goAway): .end(goAway.code)
      default: nil
      }
    }
    switch heard {
    case .credit(let limit): return limit
    case .end(let code):
      lastEnd = code
      return nil
    case nil: return nil
    }
  }
}
