using System.Text;
using FsCheck;
using FsCheck.Fluent;
using LoraServe.Training.Data;

namespace LoraServe.Training.Tests.Data;

public sealed class DataFileTests(DataFolder folder) : IClassFixture<DataFolder>
{
    [Fact]
    public void Read_OfEveryKind_HasItsFields()
    {
        DataFile file = folder.Open("""
            {"prompt": "a", "completion": " b"}
            {"prompt": "a", "references": ["b", "c"]}
            {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
            {"text": "a"}
            {"prompt": "a", "chosen": " b", "rejected": " c", "more": 1}
            """);

        DataRow[] rows = [.. Enumerable.Range(0, file.Count).Select(file.Read)];

        Assert.Equal(Enum.GetValues<DataRowKind>(), rows.Select(row => row.Kind));
        Assert.Equal([("a", " b"), ("a", " b"), ("", ""), ("", "a"), ("a", " b")], rows.Select(row => (row.Prompt, row.Answer)));
        Assert.Equal([null, null, null, null, " c"], rows.Select(row => row.Rejected));
        Assert.Equal(2, rows[2].Messages.Count);
    }

    [Fact]
    public void Read_WithMarkBlankLinesAndBothLineEnds_KeepsLineNumbers()
    {
        DataFile file = folder.Open("\uFEFF{\"text\": \"a\"}\r\n\r\n  \n{\"text\": \"é\"}\n\n{\"text\": \"c\"}\n \t");

        Assert.Equal([(1, "a"), (4, "é"), (6, "c")], Enumerable.Range(0, file.Count).Select(row => (file.Read(row).Line, file.Read(row).Answer)));
        Assert.Equal([1, 4, 6], Enumerable.Range(0, file.Count).Select(file.LineOf));
    }

    [Fact]
    public void Read_OfRowsAcrossBlocks_FindsEach()
    {
        int[] lengths = [10, 1 << 20, 3, (1 << 20) - 12, 1, 3 << 20, 7];
        DataFile file = folder.OpenTexts(lengths);

        Assert.Equal(lengths, Enumerable.Range(0, file.Count).Select(row => file.Read(row).Answer.Length));
    }

    [Theory]
    [InlineData("{oops", "not JSON at byte 2: 'o' is an invalid start of a property name. Expected a '\"'. Each line must be one JSON object.")]
    [InlineData("{\"text\": \"a\"} {\"text\": \"b\"}", "not JSON")]
    [InlineData("{\"text\": \"a\", \"text\": \"b\"}", "not JSON")]
    [InlineData("[1]", "a JSON Array; expected an object")]
    [InlineData("{}", "has no fields; expected prompt with completion")]
    [InlineData("{\"question\": \"a\"}", "has only the fields question; expected prompt with completion")]
    [InlineData("{\"prompt\": \"a\"}", "has only the fields prompt; expected prompt with completion")]
    [InlineData("{\"prompt\": 1, \"completion\": \"b\"}", "\"prompt\" is a JSON Number; expected a string")]
    [InlineData("{\"prompt\": \"a\", \"completion\": null}", "\"completion\" is a JSON Null; expected a string")]
    [InlineData("{\"prompt\": \"a\", \"completion\": \"\"}", "\"completion\" is empty")]
    [InlineData("{\"prompt\": \"a\", \"references\": []}", "\"references\" is empty; expected an array")]
    [InlineData("{\"prompt\": \"a\", \"references\": [7]}", "\"references[0]\" is a JSON Number")]
    [InlineData("{\"prompt\": \"a\", \"chosen\": \"b\"}", "\"rejected\" is missing")]
    [InlineData("{\"text\": \"\"}", "\"text\" is empty")]
    [InlineData("{\"prompt\": \"a\", \"text\": \"b\"}", "has text beside prompt")]
    [InlineData("{\"prompt\": \"a\", \"messages\": []}", "has messages beside prompt")]
    [InlineData("{\"prompt\": \"a\", \"completion\": \"b\", \"text\": \"c\"}", "has both text and completion")]
    [InlineData("{\"prompt\": \"a\", \"completion\": \"b\", \"references\": [\"c\"]}", "has both completion and references")]
    [InlineData("{\"prompt\": \"a\", \"completion\": \"b\", \"chosen\": \"c\", \"rejected\": \"d\"}", "has both completion and chosen")]
    [InlineData("{\"text\": \"\\ud800\"}", "half of a surrogate pair")]
    [InlineData("{\"messages\": {}}", "\"messages\" is a JSON Object; expected an array")]
    [InlineData("{\"messages\": [\"hi\"]}", "messages[0] is a JSON String; expected an object")]
    [InlineData("{\"messages\": [{\"content\": \"hi\"}]}", "\"messages[0].role\" is missing")]
    [InlineData("{\"messages\": [{\"role\": \"user\", \"content\": \"hi\"}]}", "no assistant turn")]
    [InlineData("{\"messages\": [{\"role\": \"assistant\", \"content\": [1]}]}", "\"messages[0].content\" is a JSON Array; expected a string")]
    [InlineData("{\"messages\": [{\"role\": \"user\", \"content\": \"\\ud800\"}, {\"role\": \"assistant\", \"content\": \"a\"}]}", "half of a surrogate pair")]
    public void Read_OfAWrongLine_SaysFileLineAndWhat(string line, string problem)
    {
        DataFile file = folder.Open($"{{\"text\": \"fine\"}}\n{line}\n", "wrong.jsonl");

        TrainingDataException exception = Assert.Throws<TrainingDataException>(() => file.Read(1));

        Assert.Contains($"wrong.jsonl, line 2: ", exception.Message, StringComparison.Ordinal);
        Assert.Contains(problem, exception.Message, StringComparison.Ordinal);
        Assert.Equal((file.Path, 2), (exception.File, exception.Line));
    }

    [Fact]
    public void Read_OfBytesThatAreNotUtf8_NamesTheByte()
    {
        DataFile file = folder.Open([.. Encoding.UTF8.GetBytes("{\"text\": \"ä"), 0xE4, (byte)'"', (byte)'}']);

        Assert.Contains("line 1: byte 13 of the line is not UTF-8", Assert.Throws<TrainingDataException>(() => file.Read(0)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n \r\n")]
    public void Open_WithoutRows_IsRefused(string content) =>
        Assert.Contains("no rows", Assert.Throws<TrainingDataException>(() => folder.Open(content)).Message, StringComparison.Ordinal);

    [Fact]
    public void Open_OfALineWithoutEnd_IsRefused() =>
        Assert.Contains("line 2: longer than 64 MiB", Assert.Throws<TrainingDataException>(() => folder.Open([(byte)'\n', .. Enumerable.Repeat((byte)' ', 66 << 20)])).Message, StringComparison.Ordinal);

    [Fact]
    public void Open_OfAMissingFile_IsAnInputError() => Assert.Throws<FileNotFoundException>(() => DataFile.Open("missing.jsonl"));

    [Fact]
    public void Read_AfterTheFileShrank_IsRefused()
    {
        DataFile file = folder.Open("{\"text\": \"a\"}\n{\"text\": \"b\"}\n");
        using (var stream = new FileStream(file.Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            stream.SetLength(20);
        }

        Assert.Contains("line 2: the file has become shorter", Assert.Throws<TrainingDataException>(() => file.Read(1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fingerprint_TellsContentsApart()
    {
        string first = folder.Open("{\"text\": \"a\"}").Fingerprint;

        Assert.Equal(first, folder.Open("{\"text\": \"a\"}").Fingerprint);
        Assert.NotEqual(first, folder.Open("{\"text\": \"b\"}").Fingerprint);
    }

    [Fact]
    public void Read_OfDamagedRows_ThrowsNothingElse()
    {
        byte[] valid = Encoding.UTF8.GetBytes("""{"messages": [{"role": "user", "content": "a\u00e9\n"}, {"role": "assistant", "content": "b", "x": [1.5, null]}], "n": {}}""");
        Prop.ForAll(
            ArbMap.Default.ArbFor<(byte Value, int Place)[]>(),
            damage =>
            {
                byte[] bytes = [.. valid];
                foreach ((byte value, int place) in damage)
                {
                    bytes[Math.Abs(place % bytes.Length)] = value;
                }

                foreach (string line in Encoding.Latin1.GetString(bytes).Split('\n'))
                {
                    try
                    {
                        new RowParser("file", 1).Parse(Encoding.Latin1.GetBytes(line));
                    }
                    catch (TrainingDataException)
                    {
                    }
                }
            }).QuickCheckThrowOnFailure();
    }
}
