using LoraServe.Fuzz.Seeds;
using LoraServe.Models.Text;
using LoraServe.Testing;
using LoraServe.Tokenization;
using LoraServe.Training.Data;

namespace LoraServe.Fuzz.Targets;

/// <summary>Rows to train on, in every form and container.</summary>
internal sealed class RowsTarget : FuzzTarget
{
    private static readonly Lazy<RowTokenizer> s_tokenizer = new(() =>
    {
        Tokenizer tokenizer = Tokenizer.FromFile(Repository.Fixture("tokenizers/llama3-style/tokenizer.json"));
        string template = "{{ tools | tojson }}{% for m in messages %}<|{{ m.role }}|>{{ m.content or '' }}{% for c in m.tool_calls or [] %}{{ c | tojson }}{% endfor %}</s>\n{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}";
        return new RowTokenizer(tokenizer, 0, ChatFormat.Of(new ModelText("model", tokenizer, ChatTemplates.Of(template))));
    });

    public override string Name => "rows";

    public override void Read(string folder)
    {
        string path = Directory.GetFiles(folder).Single();
        Exception? refused = null;
        foreach (RowFormat format in Enum.GetValues<RowFormat>())
        {
            try
            {
                Read(path, format);
            }
            catch (TrainingDataException exception)
            {
                // Rows are of one form, and refused as the others.
                refused = format == RowFormat.Auto ? exception : refused;
            }
        }

        if (refused is not null)
        {
            throw refused;
        }
    }

    protected override IEnumerable<Seed> MakeSeeds() => RowSeeds.All();

    private static void Read(string path, RowFormat format)
    {
        using var file = DataFile.Open(path, format);
        _ = file.Describe();
        var options = new ExampleOptions { MaximumLength = 512, LongRows = LongRows.Truncate };
        for (int i = 0; i < Math.Min(file.Count, 100); i++)
        {
            DataRow row = file.Read(i);
            _ = row.Kind == DataRowKind.Preference ? (object?)s_tokenizer.Value.EncodePair(row, options) : s_tokenizer.Value.Encode(row, options);
        }
    }
}
