using System.CommandLine;
using System.Globalization;
using LoraServe.Cli.Arguments;
using LoraServe.Cli.Rendering;
using LoraServe.Models;
using LoraServe.Models.Text;
using LoraServe.Serving;
using LoraServe.Serving.Options;
using LoraServe.Serving.Requests;
using LoraServe.Studio.Evaluation;
using LoraServe.Studio;
using LoraServe.Training.Data;
using Spectre.Console;

namespace LoraServe.Cli.Verbs;

/// <summary><c>loraserve eval</c>: how well the model, with or without an adapter, does on a data set.</summary>
internal static class EvalVerb
{
    public static Command Create()
    {
        var model = new ModelArguments();
        var adapter = new Option<string>("--adapter") { Description = "A PEFT directory or GGUF file to apply.", HelpName = "[NAME=]DIR[#TASK]" };
        Option<bool> baseTemplate = TemplateArguments.Create();
        var data = new Option<string>("--data") { Description = "Rows as JSON Lines, a JSON array, in gzip, or Parquet; a row has prompt and completion, prompt and references, prompt and chosen, messages, conversations, instruction and output, or text.", Required = true, HelpName = "FILE" };
        var format = new Option<RowFormat>("--format") { Description = "The form of the rows. [default: what their fields say]", HelpName = "auto|prompt|messages|sharegpt|alpaca|preference|text" };
        var maxTokens = new Option<int>("--max-tokens") { Description = "Most tokens of an answer.", DefaultValueFactory = _ => 32, HelpName = "N" };
        var maxLength = new Option<int>("--max-length") { Description = "Rows are cut on the right to this many tokens before they are scored.", DefaultValueFactory = _ => 256, HelpName = "N" };
        var limit = new Option<int>("--limit") { Description = "Only the first rows. [default: all]", HelpName = "N" };
        var answers = new Option<string>("--answers") { Description = "Also write what was generated, one JSON object a row.", HelpName = "FILE.jsonl" };
        var json = new Option<bool>("--json") { Description = "Print one object." };
        var verb = new Command("eval", "Measure exact match (greedy, until the end token or a newline) and mean token loss on a data set.");
        model.AddTo(verb);
        foreach (Option option in new Option[] { adapter, baseTemplate, data, format, maxTokens, maxLength, limit, answers, json })
        {
            verb.Add(option);
        }

        verb.SetAction(async (arguments, cancellationToken) =>
        {
            var options = new EvaluationOptions(arguments.AtLeastOne(maxTokens), arguments.AtLeastOne(maxLength));
            int rowLimit = arguments.GetResult(limit) is null ? int.MaxValue : arguments.AtLeastOne(limit);
            NamedAdapter? named = arguments.GetValue(adapter) is { } text ? NamedAdapter.Parse(text) : null;
            using LoadedModel loaded = model.Load(arguments);
            bool keepsTemplate = arguments.GetValue(baseTemplate);
            RowTokenizer tokenizer = RowTokenizer.Of(loaded, named is null || keepsTemplate ? null : ModelText.ReadAdapter(named.Path, named.Name));
            (string description, IReadOnlyList<EvaluationRow> rows) = EvaluationRow.Read(arguments.GetValue(data)!, rowLimit, tokenizer, arguments.GetValue(format));
            await arguments.InvocationConfiguration.Error.WriteLineAsync($"{arguments.GetValue(data)}: {description}").ConfigureAwait(false);
            await using var engine = new InferenceEngine(loaded, new EngineOptions { Workers = model.Threads(arguments), UseAdapterTemplates = !keepsTemplate });
            IReadOnlyList<AdapterReference> adapters = [];
            if (named is not null)
            {
                await NamedAdapter.PublishAsync([named], engine, arguments.InvocationConfiguration.Error, cancellationToken).ConfigureAwait(false);
                adapters = [named.Reference];
            }

            var evaluator = new Evaluator(engine, tokenizer, adapters, options);
            (EvaluationResult result, RowOutcome[] outcomes) = await Terminal.ProgressAsync(
                arguments.InvocationConfiguration.Error, "Evaluating", rows.Count, rowDone => evaluator.RunAsync(rows, rowDone, cancellationToken)).ConfigureAwait(false);
            if (arguments.GetValue(answers) is { } file)
            {
                WriteAnswers(file, rows, outcomes);
            }

            Write(result, options, arguments.GetValue(json), arguments.InvocationConfiguration.Output);
        });
        return verb;
    }

    private static void WriteAnswers(string file, IReadOnlyList<EvaluationRow> rows, RowOutcome[] outcomes)
    {
        using var writer = new StreamWriter(file);
        foreach ((EvaluationRow row, RowOutcome outcome) in rows.Zip(outcomes))
        {
            double? loss = outcome.LabelledTokens > 0 ? -outcome.LogProbability / outcome.LabelledTokens : null;
            writer.WriteJson(new { row.Line, outcome.Answer, row.Expected, Loss = loss, outcome.LabelledTokens });
        }
    }

    private static void Write(EvaluationResult result, EvaluationOptions options, bool json, TextWriter output)
    {
        if (json)
        {
            output.WriteJson(result);
            return;
        }

        var grid = new Grid().AddColumn().AddColumn();
        Add("rows", Format("0", result.Rows));
        if (result.ExactMatch is { } match)
        {
            Add("exact match", $"{Format("0.00", match * 100)} %  ({result.MatchedRows} of {result.Rows} rows)");
        }

        if (result.Loss is { } loss)
        {
            Add("loss", $"{Format("0.000000", loss)}  ({result.LabelledTokens} tokens)");
            Add("perplexity", Format("0.0000", result.Perplexity!.Value));
        }

        Add("speed", $"{Format("0", result.TokensPerS)} tokens/s, {Format("0.0", result.Seconds)} s");
        if (result.CutRows > 0)
        {
            Add("cut", $"{result.CutRows} rows were longer than {options.MaxLength} tokens; see --max-length");
        }

        Terminal.Console(output).Write(grid);

        void Add(string name, string value) => grid.AddRow(new Text(name), new Text(value));

        static string Format(string format, double value) => value.ToString(format, CultureInfo.InvariantCulture);
    }
}
