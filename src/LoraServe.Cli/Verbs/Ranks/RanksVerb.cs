using System.CommandLine;
using System.Globalization;
using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Cli.Arguments;
using LoraServe.Cli.Rendering;
using LoraServe.Models;
using LoraServe.Studio;
using LoraServe.Training.Data;
using LoraServe.Training.Ranks;
using LoraServe.Training.Ranks.Sweep;
using Spectre.Console;

namespace LoraServe.Cli.Verbs.Ranks;

/// <summary><c>loraserve ranks</c>: what rank each policy would choose for a model and a data set, and what that costs.</summary>
internal static class RanksVerb
{
    public static Command Create()
    {
        var model = new ModelArguments();
        var policies = new RankPolicyArguments(
            "Also choose by the singular values of the weights: the smallest rank that keeps this share of their sum, such as 0.9. Takes time.");
        var sweep = new SweepArguments();
        var data = new Option<string?>("--data") { Description = "The data set to train on, as JSON Lines.", HelpName = "FILE.jsonl" };
        var json = new Option<bool>("--json") { Description = "Print one object." };
        var verb = new Command("ranks", "Show what rank each policy would choose for a model and a data set, and what it costs; or find the best by training.") { data, json };
        model.AddTo(verb);
        policies.AddTo(verb);
        sweep.AddTo(verb);
        verb.SetAction(async (arguments, cancellationToken) =>
        {
            IReadOnlyList<IRankPolicy> all = policies.Policies(arguments);
            TextWriter error = arguments.InvocationConfiguration.Error;
            using LoadedModel loaded = model.Load(arguments);
            if (sweep.IsGiven(arguments))
            {
                SweepResult result = await sweep.RunAsync(
                    arguments, loaded, arguments.GetValue(data), policies.Targets(arguments), model.Threads(arguments), error, cancellationToken).ConfigureAwait(false);
                Write(arguments.InvocationConfiguration.Output, arguments.GetValue(json), loaded.Name, result);
                return;
            }

            var question = new RankQuestion
            {
                Model = loaded.Transformer,
                Targets = RankTargets.Select(loaded.Transformer, policies.Targets(arguments)),
                Task = policies.Task(arguments),
                Data = arguments.GetValue(data) is { } path ? await ReadAsync(path, loaded, error).ConfigureAwait(false) : null,
            };
            if (arguments.GetValue(policies.Energy) is not null)
            {
                question = question with { Spectra = await SpectraAsync(question, model.Threads(arguments), error, cancellationToken).ConfigureAwait(false) };
            }

            RankRow[] rows = [.. all.Select(policy => RankRow.Of(policy, question))];
            if (arguments.GetValue(json))
            {
                WriteJson(arguments.InvocationConfiguration.Output, loaded.Name, question, rows);
            }
            else
            {
                Write(Terminal.Console(arguments.InvocationConfiguration.Output), loaded.Name, arguments.GetValue(data), question, rows);
            }
        });
        return verb;
    }

    private static void Write(TextWriter output, bool json, string name, SweepResult result)
    {
        if (json)
        {
            SweepReport.WriteJson(output, name, result);
        }
        else
        {
            SweepReport.Write(Terminal.Console(output), result);
        }
    }

    private static async Task<DataSetFacts> ReadAsync(string path, LoadedModel loaded, TextWriter error)
    {
        using DataFile file = DataFile.Open(path);
        RowTokenizer tokenizer = RowTokenizer.Of(loaded);
        return await Terminal.ProgressAsync(
            error, "Reading rows", file.Count, rowDone => Task.Run(() => DataSetFacts.Read(file, tokenizer, loaded.Transformer.Spec.ContextLength, rowDone))).ConfigureAwait(false);
    }

    private static Task<IReadOnlyDictionary<Site, Spectrum>> SpectraAsync(RankQuestion question, int threads, TextWriter error, CancellationToken cancellationToken) =>
        Terminal.ProgressAsync(
            error,
            "Singular values",
            question.Targets.Count,
            matrixDone => Task.Run(() => Spectrum.OfWeights(question.Model, question.Targets, threads, matrixDone, cancellationToken), cancellationToken));

    private static void Write(IAnsiConsole console, string name, string? path, RankQuestion question, RankRow[] rows)
    {
        string targets = string.Join(", ", question.Targets.Select(target => target.Name).Distinct());
        console.WriteLine(Invariant($"{name}: {question.Model.ParameterCount() / 1e6:0.0} M parameters, width {question.Model.Width}, {question.Model.LayerCount} layers."));
        console.WriteLine($"Adapted: {question.Targets.Count} linear maps ({targets}).");
        if (question.Data is { } data)
        {
            console.WriteLine(Invariant($"{Path.GetFileName(path)}: {data.Rows:N0} rows, {data.DistinctCompletions:N0} different answers, {data.MeanCompletionTokens:0.0} tokens each."));
        }

        bool knowsEnergy = question.Spectra is not null;
        Table table = Terminal.Table(["policy", ">rank", ">trained", ">of base", ">adapter", ">optimizer", .. knowsEnergy ? (string[])[">keeps"] : []]);
        foreach (RankRow row in rows)
        {
            string[] cells = row.Plan is { } plan
                ? [RankRow.Ranks(plan), Terminal.Count(plan.ParameterCount), Share(plan, question), Bytes(plan.AdapterBytes), Bytes(plan.OptimizerBytes), .. Keeps(plan)]
                : ["-", "", "", "", "", .. knowsEnergy ? (string[])[""] : []];
            table.AddText([row.Policy.Name, .. cells]);
        }

        console.Write(table);
        foreach (RankRow row in rows.Where(row => row.Plan is not null))
        {
            console.WriteLine($"{row.Policy.Name}: {row.Plan!.Reason}.");
        }

        foreach (IGrouping<string, RankRow> lacking in rows.Where(row => row.Missing is not null).GroupBy(row => row.Missing!))
        {
            console.WriteLine($"{string.Join(", ", lacking.Select(row => row.Policy.Name))}: needs {Ask(lacking.Key)}.");
        }

        console.WriteLine();
        console.WriteLine("trained: trainable parameters. of base: their share of the base's. adapter: its size in float32. optimizer: what AdamW keeps beside it.");
        console.WriteLine("--rank of train takes a policy's name; auto is 'complexity'.");
        if (knowsEnergy)
        {
            console.WriteLine("keeps: share of the sum of the weights' singular values within the rank. It bounds what an adapter can need; few tasks need that much.");
        }

        IEnumerable<string> Keeps(RankPlan plan) => question.Spectra is { } spectra ? [Percent(plan.Retained(spectra))] : [];
    }

    private static string Ask(string missing) => missing switch
    {
        "the singular values of the targets" => "the singular values of the weights: add --energy 0.9",
        "the kind of task" => "the kind of task: add --task",
        _ => $"{missing}: add --data or --complexity",
    };

    private static void WriteJson(TextWriter output, string name, RankQuestion question, RankRow[] rows) => output.WriteJson(new
    {
        Model = name,
        question.Model.Width,
        question.Model.LayerCount,
        BaseParameters = question.Model.ParameterCount(),
        Targets = question.Targets.Select(target => target.Path),
        Data = question.Data is not { } data ? null : new
        {
            data.Rows,
            data.CompletionTokens,
            data.DistinctCompletions,
            data.DistinctTokens,
            Complexity = data.Complexity(question.Model.VocabularySize),
        },
        Policies = rows.Select(row => new
        {
            Policy = row.Policy.Name,
            row.Missing,
            row.Plan?.Reason,
            row.Plan?.MinimumRank,
            row.Plan?.MaximumRank,
            Parameters = row.Plan?.ParameterCount,
            Share = (double?)row.Plan?.ParameterCount / question.Model.ParameterCount(),
            row.Plan?.AdapterBytes,
            row.Plan?.OptimizerBytes,
            Retained = question.Spectra is { } spectra ? row.Plan?.Retained(spectra) : null,
            Ranks = row.Plan?.Sites.ToDictionary(site => site.Module.Path, site => site.Rank),
        }),
    });

    private static string Share(RankPlan plan, RankQuestion question) => Percent((double)plan.ParameterCount / question.Model.ParameterCount());

    private static string Percent(double share) => (share * 100).ToString("0.0", CultureInfo.InvariantCulture) + " %";

    /// <summary>Three digits are enough to compare by, and the table fits 80 columns.</summary>
    private static string Bytes(long bytes) => Terminal.Bytes(double.Parse(bytes.ToString("E2", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture));

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
