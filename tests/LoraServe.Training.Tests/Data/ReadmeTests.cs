using System.Text;
using LoraServe.Testing;
using LoraServe.Training.Data;
using static LoraServe.Training.Tests.Data.ByteTokenizer;

namespace LoraServe.Training.Tests.Data;

/// <summary>What README says of the forms of rows is what there is.</summary>
public sealed class ReadmeTests
{
    private const string Refused = "no: it has one answer only";
    private static readonly ExampleOptions s_options = new() { MaximumLength = 10_000 };

    [Fact]
    public void RowFormats_AreThoseOfTheTable() => ReadmeTable.Check(
        "row formats",
        ["rows", "`--format`", "train on the answer", "train on preferences", "eval"],
        Enum.GetValues<RowFormat>().Where(format => format != RowFormat.Auto).Select(Line));

    private static string[] Line(RowFormat format)
    {
        (string fields, string json) = Sample(format);
        DataRow row = new RowParser("rows.jsonl", 1).Parse(Encoding.UTF8.GetBytes(json));
        Assert.Equal(format, row.Format);
        bool hasAnswers = Rows().Turns(row).Count > 0;
        return
        [
            fields,
            $"`{format.ToString().ToLowerInvariant()}`",
            Try(() => Rows().Encode(row, s_options)) ? "yes" : "no: which answer is the right one, says `--loss`",
            Try(() => Rows().EncodePair(row, s_options)) ? "`dpo`, `orpo`, `kto`" : Refused,
            hasAnswers ? row.Kind == DataRowKind.Completion ? "loss, exact match" : "loss" : "no: it has no answer",
        ];
    }

    private static bool Try(Func<object?> encode)
    {
        try
        {
            return encode() is not null;
        }
        catch (TrainingDataException)
        {
            return false;
        }
    }

    private static (string Fields, string Json) Sample(RowFormat format) => format switch
    {
        RowFormat.Prompt => ("`prompt` and `completion` or `references`", """{"prompt": "q", "completion": "a"}"""),
        RowFormat.Messages => ("`messages`, with `tools`", """{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}"""),
        RowFormat.ShareGpt => ("`conversations`", """{"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}"""),
        RowFormat.Alpaca => ("`instruction`, `input`, `output`", """{"instruction": "q", "input": "", "output": "a"}"""),
        RowFormat.Preference => ("`chosen` and `rejected`, with or without `prompt`; `preferred_output`", """{"prompt": "q", "chosen": "a", "rejected": "b"}"""),
        RowFormat.Text => ("`text`", """{"text": "a"}"""),
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "has no sample"),
    };
}
