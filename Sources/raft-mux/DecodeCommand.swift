import ArgumentParser
import ConformanceSuite
import Foundation

/// `raft-mux decode`.
struct DecodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decode",
    abstract: "Prints frames and RPCs of captured bytes, one line each.",
    discussion: """
      Takes the bytes of one direction of a connection, or, as two files, of both: raw, or as a hex dump (plain digits, \
      xxd, hexdump -C). In a dump, lines that start with > or < say which way their bytes went, and so do lines \
      "dialler:" and "acceptor:", so that one file holds both directions. Answers are read where the requests are there, \
      too.

      A capture may begin inside a connection of RMUX: the first place from which on frame follows frame is taken for \
      the beginning of one, and what is in front of it is left out. It may also be one of hashicorp/raft's own protocol, \
      from the first byte on, which says what it is.

      With --json each line is an object: type, flags, class, encoding, stream, length and what else the frame has, and in \
      "messages" each RPC with its fields by their names in hashicorp/raft; of data only the number of bytes is given.

      The exit status is 1 if there is something that no frame and no message can be.
      """
  )

  @Argument(help: ArgumentHelp("The capture; - or nothing for standard input.", valueName: "file"))
  var file = "-"

  @Argument(help: ArgumentHelp("The other direction of the same connection.", valueName: "file"))
  var other: String?

  @Flag(help: "Print each frame, with all its fields, as a line of JSON.")
  var json = false

  func validate() throws {
    if file == "-", other == "-" { throw ValidationError("Only one of the two can be standard input.") }
  }

  func run() throws {
    Interruption.ignoreBrokenPipes()
    var runs = CaptureFormat.read(try Self.contents(of: file))
    if let other {
      let second = CaptureFormat.read(try Self.contents(of: other)).map(\.bytes)
      runs = runs.map { .init(direction: .first, bytes: $0.bytes) }
      runs += second.map { .init(direction: .second, bytes: $0) }
    }
    var hasFaults = false
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    try CaptureDecoder.decode(runs) { entry in
      hasFaults = hasFaults || entry.isFault
      print(json ? String(decoding: try encoder.encode(entry), as: UTF8.self) : entry.line)
    }
    if hasFaults { throw ExitCode.failure }
  }

  private static func contents(of file: String) throws -> [UInt8] {
    do {
      if file == "-" { return Array(try FileHandle.standardInput.readToEnd() ?? Data()) }
      return Array(try Data(contentsOf: URL(filePath: file)))
    } catch {
      throw ValidationError("'\(file)' cannot be read: \(error.localizedDescription)")
    }
  }
}
