import NIOCore
import StreamMux
import Testing

@Suite("R-SEC-6: What peers say in logs")
struct PrintableTests {
  @Test(
    "Control characters are escaped, all others stay",
    arguments: [
      ("plain text, ümlauts and 日本", "plain text, ümlauts and 日本"),
      ("a\nforged line", #"a\nforged line"#),
      ("\u{1B}[2Jgone", #"\u{1B}[2Jgone"#),
      ("two\u{2028}lines", #"two\u{2028}lines"#),
      ("", ""),
    ])
  func printable(_ text: String, _ expected: String) {
    #expect(text.printable == expected)
  }
}
