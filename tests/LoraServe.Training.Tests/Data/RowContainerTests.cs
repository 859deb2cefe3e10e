using System.IO.Compression;
using System.Text;
using LoraServe.Training.Data;
using Parquet.Schema;
using Parquet.Serialization;

namespace LoraServe.Training.Tests.Data;

/// <summary>The same rows, whatever holds them.</summary>
public sealed class RowContainerTests(DataFolder folder) : IClassFixture<DataFolder>
{
    private const string First = """{"prompt": "a", "completion": "b\u00e9"}""";
    private const string Second = """{"prompt": "c [1, {2}]", "completion": "d"}""";

    [Theory]
    [InlineData("[" + First + "," + Second + "]", "1 1")]
    [InlineData("\uFEFF [\n" + First + ",\n\n  " + Second + "\n]\n", "2 4")]
    public void AJsonArray_HasItsElementsAndTheirLines(string content, string lines)
    {
        DataFile file = folder.Open(content, "rows.json");

        Assert.Equal([("a", "bé"), ("c [1, {2}]", "d")], Read(file));
        Assert.Equal(lines, $"{file.LineOf(0)} {file.LineOf(1)}");
        Assert.Equal("2 rows of prompt (a JSON array)", file.Describe());
    }

    [Fact]
    public void AJsonArray_OfElementsAcrossBlocks_IsRead()
    {
        int[] lengths = [10, 1 << 20, 3, 3 << 20, (1 << 20) - 12, 7];
        DataFile file = folder.Open("[" + string.Join(",\n", lengths.Select(length => $$"""{"text": "{{new string('x', length)}}"}""")) + "]", "long.json");

        Assert.Equal(lengths, Enumerable.Range(0, file.Count).Select(row => file.Read(row).Answer.Length));
        Assert.Equal(Enumerable.Range(1, lengths.Length), Enumerable.Range(0, file.Count).Select(file.LineOf));
    }

    [Theory]
    [InlineData("[" + First, "line 1: not a JSON array")]
    [InlineData("[" + First + ",\n{oops}]", "line 2: not a JSON array")]
    [InlineData("[]", "no rows")]
    public void AJsonArray_ThatIsDamaged_IsRefused(string content, string problem) =>
        Assert.Contains(problem, Assert.Throws<TrainingDataException>(() => folder.Open(content, "wrong.json")).Message, StringComparison.Ordinal);

    [Fact]
    public void AnElementThatIsNoRow_IsNamedByItsLine() =>
        Assert.Contains("line 2: a JSON Number; expected an object", Assert.Throws<TrainingDataException>(() => folder.Open("[" + First + ",\n 7]", "wrong.json").Read(1)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(First + "\n" + Second + "\n", "2 rows of prompt (JSON Lines in gzip)")]
    [InlineData("[" + First + "," + Second + "]", "2 rows of prompt (a JSON array in gzip)")]
    public void Gzip_IsUnpacked(string content, string described)
    {
        DataFile file = folder.Open(Packed(Encoding.UTF8.GetBytes(content)), "rows.jsonl.gz");

        Assert.Equal([("a", "bé"), ("c [1, {2}]", "d")], Read(file));
        Assert.Equal(described, file.Describe());
        Assert.NotEqual(file.Fingerprint, folder.Open(Packed(Encoding.UTF8.GetBytes(First)), "other.jsonl.gz").Fingerprint);
    }

    [Fact]
    public void Gzip_ThatIsDamaged_IsRefused() =>
        Assert.Contains("cannot be unpacked", Assert.Throws<TrainingDataException>(() => folder.Open([0x1F, 0x8B, 8, 0, 1, 2, 3, 4, 5, 6, 7], "wrong.gz")).Message, StringComparison.Ordinal);

    [Fact]
    public void Gzip_ThatUnpacksWithoutBounds_IsRefused() =>
        Assert.Contains("unpacks to more than", Assert.Throws<TrainingDataException>(() => folder.Open(Packed(new byte[65 << 20]), "bomb.gz")).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Parquet_HasColumnsForFields()
    {
        var schema = new ParquetSchema(
            new DataField<string>("id"),
            new DataField<string>("prompt"),
            new ListField("messages", new StructField("element", new DataField<string>("role"), new DataField<string>("content"), new DataField<double?>("weight"))));
        using var content = new MemoryStream();
        await ParquetSerializer.SerializeUntypedAsync([Row("x", Turn("user", "q", null), Turn("assistant", "né", 0), Turn("assistant", "a", 1)), Row("y", Turn("assistant", "b", null))], schema, content);

        DataFile file = folder.Open(content.ToArray(), "rows.parquet");

        Assert.Equal("2 rows of messages (Parquet); not read: id", file.Describe());
        Assert.Equal([false, false, true], file.Read(0).Conversation!.Learnt);
        Assert.Equal(["q", "né", "a"], file.Read(0).Messages.Select(message => message.GetProperty("content").GetString()));
        Assert.Equal("b", file.Read(1).Messages[0].GetProperty("content").GetString());

        static Dictionary<string, object?> Row(string id, params Dictionary<string, object?>[] turns) => new() { ["id"] = id, ["prompt"] = null, ["messages"] = turns.ToList() };
        static Dictionary<string, object?> Turn(string role, string content, double? weight) => new() { ["role"] = role, ["content"] = content, ["weight"] = weight };
    }

    [Theory]
    [InlineData("PAR1 and no more", "does not end as a Parquet file does")]
    [InlineData("PAR1 and no moreabcdPAR1", "its footer is said to be")]

    // A list of texts, of which the first is longer than the file.
    [InlineData("PAR1\u0019x\u007f\u0003\0\0\0PAR1", "longer than itself")]
    public void Parquet_ThatIsDamaged_IsRefused(string content, string problem) =>
        Assert.Contains(problem, Assert.Throws<TrainingDataException>(() => folder.Open(content, "wrong.parquet")).Message, StringComparison.Ordinal);

    /// <summary>Every byte of what describes the columns and pages, changed: refused or read, and never more memory than such a file needs.</summary>
    [Fact]
    public async Task Parquet_WhoseSizesAreWrong_IsRefusedBeforeItIsRead()
    {
        using var stream = new MemoryStream();
        await ParquetSerializer.SerializeUntypedAsync([new Dictionary<string, object?> { ["text"] = "a text" }], new ParquetSchema(new DataField<string>("text")), stream);
        byte[] content = stream.ToArray();
        string[] problems = [.. Enumerable.Range(4, content.Length - 12).Select(at =>
        {
            byte[] damaged = [.. content];
            damaged[at] ^= 0x40;
            return Record.Exception(() => folder.Open(damaged, $"damaged-{at}.parquet"))?.Message ?? "";
        })];

        Assert.Contains(problems, problem => problem.Contains("a page of column text is said to be", StringComparison.Ordinal));
        Assert.Contains(problems, problem => problem.Contains("longer than itself", StringComparison.Ordinal));
        Assert.Contains(problems, problem => problem.Contains("bytes from", StringComparison.Ordinal));
        string whole = folder.Write("whole.parquet", content);
        await ParquetPages.CheckAsync(whole, 1000);
        Assert.Contains("unpacks to", (await Assert.ThrowsAsync<TrainingDataException>(() => ParquetPages.CheckAsync(whole, 20))).Message, StringComparison.Ordinal);
        Assert.Contains("values", (await Assert.ThrowsAsync<TrainingDataException>(() => ParquetPages.CheckAsync(whole, 10))).Message, StringComparison.Ordinal);
    }

    private static (string, string)[] Read(DataFile file) => [.. Enumerable.Range(0, file.Count).Select(row => (file.Read(row).Prompt, file.Read(row).Answer))];

    private static byte[] Packed(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal))
        {
            gzip.Write(content);
        }

        return packed.ToArray();
    }
}
