using System.IO.Compression;

namespace LoraServe.Fuzz.Mutation;

/// <summary>Damages a file as its kind, which its name tells, lends itself to.</summary>
internal static class FileMutator
{
    private const int MostChanges = 3;

    private static readonly TextMutator s_jinja = new(
    [
        "{{", "}}", "{%", "%}", "{#", "#}", "-", "(", ")", "[", "]", "{", "}", "|", ".", ",", ":", "=", "'", "\"", "\\", "~", "**", "//", "%", "*", " is ", " in ", " not ", " if ", " else ",
        "{% endif %}", "{% endfor %}", "{% endmacro %}", "{% for x in messages %}", "{% for x in range(99999999) %}", "{% set x = messages %}", "{% set x = x ~ x %}", "{% macro f(a) %}{{ f(a) }}{% endmacro %}",
        "{% generation %}", "{% endgeneration %}", "{% break %}", "{% raw %}", "|tojson", "|list", "|map(attribute='role')", "|join(x)", "|replace('', 'aaaa')", "|indent(99999)", "|sort", "[::-1]", "[0]",
        "loop.index", "none", "9", "1e9", "9**9**9", "'a' * 999999999", ".items()", ".__class__", "namespace()", "strftime_now('%Y')", "raise_exception('x')", "\ud83d", "é", "\n", "\0",
    ]);

    private static readonly TextMutator s_pattern = new(
    [
        "(", ")", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?<n>", "(?i:", "(?i)", "(?P<n>", "[", "[^", "]", "&&", "-", "{", "}", "{1,}", "{0}", "{1000}", "{99999999999}", "{2,1}", "*", "+", "?", "*?", "++", "??", "|", "^", "$", ".", "\\", "\\p{L}",
        "\\P{Han}", "\\p{^N}", "\\d", "\\s", "\\w", "\\b", "\\R", "\\X", "\\K", "\\G", "\\1", "\\k<n>", "\\x{110000}", "\\x41", "\\u0041", "\\777", "[[:alpha:]]", "[a-", "[z-a]", "(a*)*", "(a|a)*", "(a+)+$", "\ud83d", "é", "\0",
    ]);

    private static readonly TextMutator s_calls = new(
    [
        "<tool_call>", "</tool_call>", "[TOOL_CALLS]", "[ARGS]", "[CALL_ID]", "<|python_tag|>", "<|tool_call>", "<tool_call|>", "<|\"|>", "call:f{", "<function=f>", "</function>", "<parameter=a>", "</parameter>", "<invoke name=\"f\">", "<arg_key>",
        "</arg_key>", "<arg_value>", "</arg_value>", "<tool_calls>", "</tool_calls>", "<|tool_call_start|>", "<|tool_call_end|>", "```tool_code", "```json", "```", "{\"name\": \"f\", \"arguments\": {", "\"parameters\"", "{", "}", "[", "]", "(", ")", "\"", "'",
        "\\", "\\u12", "\\ud83d", ":", ",", ";", "=", "null", "True", "-", "1e", "0.", "<", ">", " ", "\n", "\ud83d", "é", "\0",
    ]);

    /// <summary>A damaged copy.</summary>
    /// <param name="random">What is drawn from.</param>
    /// <param name="name">The file's name.</param>
    /// <param name="content">What it holds.</param>
    /// <param name="other">A file of its kind, of which pieces come in.</param>
    public static byte[] Mutate(Random random, string name, byte[] content, byte[] other)
    {
        for (int i = random.Next(1, MostChanges + 1); i > 0; i--)
        {
            content = Once(random, name, content, other);
        }

        return content;
    }

    private static byte[] Once(Random random, string name, byte[] content, byte[] other)
    {
        string extension = Path.GetExtension(name);
        bool knowsForm = !random.OneIn(4);
        return extension switch
        {
            ".json" when knowsForm => JsonMutator.Mutate(random, content, other),
            ".jsonl" when knowsForm => Line(random, content, other),
            ".safetensors" when knowsForm => SafetensorsMutator.Mutate(random, content, other),
            ".gguf" when knowsForm => GgufMutator.Mutate(random, content, other),
            ".jinja" => s_jinja.Mutate(random, content, other),
            ".calls" => s_calls.Mutate(random, content, other),
            ".regex" => s_pattern.Mutate(random, content, other),
            ".gz" when knowsForm => Packed(random, content, other),
            _ => ByteMutator.Mutate(random, content, other),
        };
    }

    private static byte[] Line(Random random, byte[] content, byte[] other)
    {
        List<byte[]> lines = Lines(content);
        int at = random.Next(lines.Count);
        lines[at] = JsonMutator.Mutate(random, lines[at], random.Pick(Lines(other)));
        return [.. lines.SelectMany((line, i) => i == 0 ? line : line.Prepend((byte)'\n'))];
    }

    private static List<byte[]> Lines(byte[] content)
    {
        List<byte[]> lines = [];
        foreach (Range range in content.AsSpan().Split((byte)'\n'))
        {
            lines.Add(content[range]);
        }

        return lines;
    }

    /// <summary>What was packed is changed, and packed again.</summary>
    private static byte[] Packed(Random random, byte[] content, byte[] other)
    {
        try
        {
            using var packed = new MemoryStream();
            using (var to = new GZipStream(packed, CompressionLevel.Fastest))
            {
                to.Write(Line(random, Unpacked(content), Unpacked(other)));
            }

            return packed.ToArray();
        }
        catch (InvalidDataException)
        {
            return ByteMutator.Mutate(random, content, []);
        }
    }

    private static byte[] Unpacked(byte[] content)
    {
        using var unpacked = new MemoryStream();
        using var from = new GZipStream(new MemoryStream(content), CompressionMode.Decompress);
        from.CopyTo(unpacked);
        return unpacked.ToArray();
    }
}
