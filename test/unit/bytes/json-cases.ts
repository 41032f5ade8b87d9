// The kinds of cases that public conformance suites for JSON have, written anew. A list without white space inside its
// cases is one text of words; `\` stands for itself in all texts.
const words = (text: string): string[] => text.trim().split(/\s+/);
const raw = String.raw;

/** Values that RFC 8259 allows. In an event they must come out as they went in. */
export const ACCEPTED_VALUES: readonly string[] = [
  // numbers
  ...words(`0 -0 0.0 -0.0 1 -1 10 0.5 1.50 1e400 -1e400 1E5 1e+5 1e-5 0e0 0E+0 0e1 1.0e10 1e-10000 20e001
    9007199254740993 1234567890123456 12345678901234567 123456789012345678901234567890 1.7976931348623157e309
    0.1234567890123456 0.12345678901234567 1e1234567890123456789 -0.00000000000000000000000000000000000000000001`),
  // literals and containers
  ...words(`true false null {} [] [[]] [{}] {"a":{}} [1,2] [[],[]] {"":0} {"a":[]} [null,null] {"a":1,"a":2}
    {"a":1,"A":2} [true,false,null,0,"",{},[]] [[[[[[[[[[1]]]]]]]]]] {"a":{"b":{"c":[{"d":[[{"e":"f"}]]}]}}}`),
  '[{"event_time":"2024-01-01 00:00:00"}]',
  '{"event_time":"2024-01-01 00:00:00","x":{"processed_time":""}}',
  ...[63, 64, 65, 511].map((levels) => '['.repeat(levels) + ']'.repeat(levels)),
  '{"a":'.repeat(70) + '1' + '}'.repeat(70),
  // white space
  ...['[ ]', '{ }', '[ 1 , 2 ]', '{ "a" : 1 , "b" : [ ] }', '[\t1\t]', '{\t"a"\t:\t1\t}', '[ [ ] , { } ]'],
  ...[
    '  1  ',
    ' "a" ',
    '\t{}\t',
    ' '.repeat(20) + '1' + ' '.repeat(20),
    `[1${' '.repeat(16)},${' '.repeat(15)}2]`,
  ],
  // escapes
  ...words(raw`"\"" "\\" "\/" "\b\f\n\r\t" "\u0000" "\u001f" "\uD83D\uDE00" "\ud800" "\udfff" "\udc00\ud800"
    "\ud800\n" "\uDADA" "\uFFFF" "\uabCD" "\\\\" "\\n" "\\u0000" "a\\" "\u002c" "\u0022" "\u005C" "\u2028\u2029"`),
  `"${'x'.repeat(31)}\\n${'x'.repeat(33)}"`,
  `"${'\\\\'.repeat(33)}"`,
  // strings
  ...words(`"" "a" "/" "\x7f" "é" "ÿ" "\u07ff" "\u0800" "\ud7ff" "\ue000" "\uffff" "\u{10000}" "\u{10ffff}" "😀"
    "aé日😀a" "日本語の長い文字列がここにあります" "€𝄞" "[,]{:}"`),
  ...['"\ufeff"', '"\u0080\u0084\u0086"', '"\u2027\u202a"', '"\u00a0"', '"a b"'],
  ...[15, 16, 17, 1000].map((bytes) => `"${'x'.repeat(bytes)}"`),
  `"${'é'.repeat(100)}"`,
];

/** What cannot stand as a value. */
export const REJECTED_VALUES: readonly string[] = [
  '',
  // numbers
  ...words(`+1 01 -01 00 1. .5 -.5 - --1 + 1e 1e+ 1e- 1.e5 1.5e 1e1.5 0x1 1_000 1,5 ١ ½ NaN Infinity -Infinity nan 1a
    1e5e5 0.1.2 -a 1+1 1- 2.e3 12345678901234567. 0e 0. -0.e1 1.2.3 1ee2 1e--1 1f 1n . e1`),
  '1 2',
  // literals
  ...words(`True NULL nul nulll tru truee fals falsee none undefined n t f nullnull a null1 true"`),
  ...['fal se', 'nu ll'],
  // containers
  ...words(`[ ] { } [1 [1, [1,] [,1] [,] [1,,2] [1:2] [} [1} {] [[] []] {"a" {"a": {"a":1 {"a":1, {"a":1,} {,} {"a"}
    {"a",1} {"a"::1} {"a":1,,"b":2} {a:1} {'a':1} {1:1} {null:1} {"a":} {:1} {"a":1] {"a":1}} {{}} {[]} [{]} {"a":[}]
    {"a":1:2} [1]; {"a":/**/1} [1]// (1) <1> {"a":1;"b":2} {"a"="b"} {a":1} {1":1} {'a":1} {"a:1} {["a":1}
    {"a":1,b":2} {a":{"b":1}} {"a\\:1} ["a]`),
  ...['[1 2]', '{"a" 1}', '{"a":1 "b":2}', '{ a":1}', '{"a" "b"}'],
  ...[60, 600].map((levels) => `${'['.repeat(levels)}}${']'.repeat(levels - 1)}`),
  // strings
  ...words(raw`" "a a" 'a' "\" "\ "\x" "\a" "\0" "\u" "\u1" "\u12" "\u123" "\u12g4" "\U0041" "\u+041" "\é" "a"b" "a""b"
    \"a" "\u000G" "\uD83D\u" "\\\" "\u00:0" "\u00@0" "\u00/0" “a” "a' "\v" "\:"`),
  ...['"\\u 041"', '"\\ "', '"a" "b"', '"\\\t"', '"\\u00`0"', '`a`'],
  ...Array.from({ length: 0x20 }, (_, code) => `"a${String.fromCharCode(code)}b"`),
  // white space to others, not to JSON
  ...[
    '\f1',
    '\v1',
    '\u00a01',
    '\u20281',
    '\u00851',
    '\ufeff1',
    '1\u0000',
    '\u00001',
    '\b1',
    '[1\f]',
    '\u30001',
    '\x1f1',
  ],
];

/** Bytes that are not UTF-8, in hexadecimal digits. */
export const REJECTED_BYTES: readonly string[] = words(`
  80 bf c0 c1 c080 c1bf c2 c241 c2c2 df dfc0 e0 e080 e08080 e09fbf e0a0 e0a041 e18041 e2 e28041 e280 eda080 edbfbf
  edafbfedbfbf eda0bdedb880 ee8080c0 ef efbf f0 f08080 f0808080 f08fbfbf f09080 f0908041 f09f98 f4908080 f4bfbfbf
  f5808080 f6808080 f7bfbfbf f888808080 fc8480808080 fe ff feff fffe 8080 e9 2080 c3a980 e6978080 f09f988080`);

/** Lines that are no event, whatever stands in them. */
export const REJECTED_LINES: readonly string[] = [
  ...words(raw`[] [{"a":1}] 1 "a" null true a {} { } {"a":1 {"a":1}} {"a":1}] {"a":1}, {"a":1}{"b":2} {"a":1}a {"a":1}#
    {"a":1}// {"a":1}" {,"a":1} {"a":1,} {"a"} {"a":} {a:1} {"a":1,"b"} {"a":1,b:2} {"a":1;"b":2} {"a":1,1} {"a:1}
    {"a\":1} {"a\:1} {"a\x":1} {"\u12":1} {a":1} {"a":1,b":2} {"a":1,"event_time"} {"a":1,"event_time":}
    {"event_time":nul} {"event_time":"" {"event_time":nullx} {"event_time":01} {"event_time":"\x"} <html>`),
  ...[
    '{ }',
    '{"a":1} {"b":2}',
    '{"a":1}\u0000',
    '\u0000{"a":1}',
    '{"a":1}\ufeff',
    ' \ufeff{"a":1}',
    '\u00a0{"a":1}',
  ],
  ...['\f{"a":1}', '{"a":1}\u2028', '{"a":1}\u0085', '{"a" "b"}', '{"a":1 "b":2}', '{"a\tb":1}', '{"a\t:1}'],
  ...['{"event_time":"2024-01-01 00:00:00"', '{"event_time":"2024-01-01 00:00:00}', '{"event_time":"\t"}'],
  ...['{"event_time":"2024-01-01 00:00:00"x}', 'Service Unavailable'],
];
