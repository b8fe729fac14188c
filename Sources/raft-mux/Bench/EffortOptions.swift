import ArgumentParser

/// How much work each measurement is, as the command line says it.
struct EffortOptions: ParsableArguments {
  @Option(help: ArgumentHelp("How often each measurement is made (1 to 100).", valueName: "number"))
  var rounds = 5

  @Option(
    help: ArgumentHelp("How long each measurement takes (0.05 to 600).", valueName: "seconds"))
  var seconds = 1.0

  @Option(help: ArgumentHelp("The size of a snapshot, such as 64M or 1G.", valueName: "size"))
  var snapshotSize = ByteSize(count: 64 << 20)

  @Option(
    help: ArgumentHelp(
      "Votes and heartbeats go on until there are so many (default: 0, or 2000 with --connect or --link).",
      valueName: "number"))
  var votes: Int?

  @Option(
    help: ArgumentHelp(
      "Votes or heartbeats a second; 0 is as fast as answers come (default: 0, or 100 with --connect or --link).",
      valueName: "number"))
  var voteRate: Double?

  @Option(
    help: ArgumentHelp(
      "How many ask for votes at once (default: 1, or 64 with --connect or --link).", valueName: "number"))
  var askers: Int?

  @Option(
    help: ArgumentHelp(
      "How long a load runs before votes beside it count (default: 0.25, or 5 with --connect or --link).",
      valueName: "seconds"))
  var leadIn: Double?

  func validate() throws {
    guard (1...100).contains(rounds) else { throw ValidationError("--rounds is from 1 to 100") }
    guard (0.05...600).contains(seconds) else { throw ValidationError("--seconds is from 0.05 to 600") }
    guard (1...(4 << 30)).contains(snapshotSize.count) else {
      throw ValidationError("--snapshot-size is from 1 byte to 4G")
    }
    guard (0...1_000_000).contains(votes ?? 0) else { throw ValidationError("--votes is from 0 to 1000000") }
    guard (0...1_000_000).contains(voteRate ?? 0) else {
      throw ValidationError("--vote-rate is from 0 to 1000000")
    }
    guard (1...64).contains(askers ?? 1) else { throw ValidationError("--askers is from 1 to 64") }
    guard (0...60).contains(leadIn ?? 0) else { throw ValidationError("--lead-in is from 0 to 60") }
  }

  /// - Parameter isFar: Whether a network lies between the two sides.
  func effort(isFar: Bool) -> Effort {
    Effort(
      duration: .seconds(seconds),
      asking: Effort.Asking(
        askers: askers ?? (isFar ? 64 : 1), rate: voteRate ?? (isFar ? 100 : 0),
        leastCalls: votes ?? (isFar ? 2_000 : 0)),
      leadIn: .seconds(leadIn ?? (isFar ? 5 : 0.25)))
  }

  /// Makes pages, buffers and code warm; over a network, it makes the connections.
  func warmUp(isFar: Bool) -> Effort {
    Effort(
      duration: .seconds(min(seconds / 4, 0.5)), leadIn: .zero,
      snapshotLimit: isFar ? 256 << 10 : 16 << 20)
  }
}
