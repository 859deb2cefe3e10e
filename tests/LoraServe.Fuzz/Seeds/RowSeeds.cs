using System.IO.Compression;
using System.Text;
using Parquet.Schema;
using Parquet.Serialization;

namespace LoraServe.Fuzz.Seeds;

/// <summary>Rows in every form, in every container.</summary>
internal static class RowSeeds
{
    private const string Question = """{"role": "user", "content": "q"}""";
    private const string Answer = """{"role": "assistant", "content": "a", "weight": 1}""";
    private const string Call = """{"role": "assistant", "content": null, "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\"x\": 1}"}}]}""";

    private static readonly string[] s_rows =
    [
        """{"prompt": "a", "completion": "b\u00e9"}""",
        """{"prompt": "a", "references": ["b", "c"]}""",
        """{"text": "words"}""",
        $$"""{"messages": [{{Question}}, {{Answer}}], "tools": [], "id": 7}""",
        $$"""{"messages": [{{Question}}, {{Call}}, {"role": "tool", "content": "1", "tool_call_id": "1"}, {{Answer}}], "tools": [{"type": "function", "function": {"name": "f", "parameters": {} } }]}""",
        """{"conversations": [{"from": "system", "value": "s"}, {"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}""",
        """{"instruction": "q", "input": "i", "output": "a", "system": "s", "history": [["x", "y"]]}""",
        $$"""{"prompt": [{{Question}}], "completion": [{{Answer}}]}""",
        $$"""{"prompt": "q", "chosen": [{{Answer}}], "rejected": "b"}""",
        $$"""{"chosen": [{{Question}}, {{Answer}}], "rejected": [{{Question}}, {{Call}}], "tools": []}""",
        $$"""{"input": {"messages": [{{Question}}], "tools": [], "parallel_tool_calls": true}, "preferred_output": [{{Answer}}], "non_preferred_output": [{{Answer}}]}""",
    ];

    /// <summary>Each row alone, and all in each container.</summary>
    public static IEnumerable<Seed> All()
    {
        byte[] lines = Encoding.UTF8.GetBytes(string.Join('\n', s_rows));
        return
        [
            .. s_rows.Select((row, i) => Seed.Of($"row-{i}", "rows.jsonl", Encoding.UTF8.GetBytes(row))),
            Seed.Of("lines", "rows.jsonl", lines),
            Seed.Of("array", "rows.json", Encoding.UTF8.GetBytes($"[{string.Join(",\n", s_rows)}]")),
            Seed.Of("gzip", "rows.jsonl.gz", Packed(lines)),
            Seed.Of("parquet", "rows.parquet", Table()),
        ];
    }

    private static byte[] Packed(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal))
        {
            gzip.Write(content);
        }

        return packed.ToArray();
    }

    private static byte[] Table()
    {
        var schema = new ParquetSchema(
            new DataField<string>("id"),
            new ListField("messages", new StructField("element", new DataField<string>("role"), new DataField<string>("content"), new DataField<double?>("weight"))));
        using var content = new MemoryStream();
        ParquetSerializer.SerializeUntypedAsync([Row("x", Turn("user", "q", null), Turn("assistant", "né", 0)), Row("y", Turn("user", "b", null), Turn("assistant", "c", 1))], schema, content).GetAwaiter().GetResult();
        return content.ToArray();

        static Dictionary<string, object?> Row(string id, params Dictionary<string, object?>[] turns) => new() { ["id"] = id, ["messages"] = turns.ToList() };
        static Dictionary<string, object?> Turn(string role, string content, double? weight) => new() { ["role"] = role, ["content"] = content, ["weight"] = weight };
    }
}
