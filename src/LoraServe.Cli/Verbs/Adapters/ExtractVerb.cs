using System.CommandLine;
using System.Globalization;
using LoraServe.Adapters.Methods.Lora;
using LoraServe.Cli.Arguments;
using LoraServe.Cli.Mistakes;
using LoraServe.Cli.Rendering;
using LoraServe.Cli.Verbs.Ranks;
using LoraServe.Models;
using LoraServe.Training.Ranks;
using LoraServe.Training.Ranks.Extraction;
using LoraServe.Training.Ranks.Policies;

namespace LoraServe.Cli.Verbs.Adapters;

/// <summary><c>loraserve adapters extract</c>: a LoRA adapter of the difference of two checkpoints.</summary>
internal static class ExtractVerb
{
    private const string Auto = "auto";

    public static Command Create()
    {
        var model = new Option<string>("--base") { Description = "The base: a GGUF file or a Hugging Face directory.", Required = true, HelpName = "PATH" };
        var tuned = new Option<string>("--tuned") { Description = "What it became by fine-tuning, of the same shape.", Required = true, HelpName = "PATH" };
        var output = new OutputArgument("The PEFT directory to write.", "DIR");
        var rank = new Option<string>("--rank") { Description = "The rank of every pair; auto leaves it to --policy.", DefaultValueFactory = _ => Auto, HelpName = "N|auto" };
        var policy = new Option<string?>("--policy") { Description = "What chooses the ranks: quality, width, complexity, parameters, task, layers, energy, energy-squared, layers-energy. [default: quality, or energy where --energy is given]", HelpName = "NAME" };
        var quality = new Option<double?>("--quality") { Description = $"Greatest error of a pair for the policy 'quality'. [default: {RankQuality.Acceptable.ToString(CultureInfo.InvariantCulture)}]", HelpName = "F" };
        var maximumRank = new Option<int?>("--max-rank") { Description = "No rank is above this.", HelpName = "N" };
        var alpha = new Option<double?>("--alpha") { Description = "lora_alpha of every pair. [default: its rank, so that its scale is 1]", HelpName = "F" };
        var policies = new RankPolicyArguments("Share of the sum of a change's singular values to keep, for the energy policies. [default: 0.9]");
        var json = new Option<bool>("--json") { Description = "Print one object." };
        var verb = new Command("extract", "Make a LoRA adapter of the difference of two checkpoints.") { model, tuned, rank, policy, quality, maximumRank, alpha, json };
        output.AddTo(verb);
        policies.AddTo(verb);
        verb.SetAction(async (arguments, cancellationToken) =>
        {
            double error = RankPolicyArguments.InRange(arguments, quality, value => value > 0 && value < 1, "above 0 and below 1") ?? RankQuality.Acceptable;
            IRankPolicy[] all = [new QualityPolicy(error), .. policies.Policies(arguments)];
            string name = arguments.GetValue(policy) ?? (arguments.GetValue(policies.Energy) is null ? "quality" : "energy");
            var options = new ExtractionOptions
            {
                Policy = arguments.GetValue(rank) is { } text && text != Auto
                    ? new FixedRankPolicy(Positive(rank.Name, text))
                    : all.FirstOrDefault(candidate => candidate.Name == name) ?? throw new UsageException($"--policy is '{name}'; expected one of {string.Join(", ", all.Select(candidate => candidate.Name))}."),
                Task = policies.Task(arguments),
                Alpha = RankPolicyArguments.InRange(arguments, alpha, value => value > 0 && double.IsFinite(value), "above 0"),
                MaximumRank = arguments.GetValue(maximumRank) is { } most ? Positive(maximumRank.Name, $"{most}") : int.MaxValue,
            };
            string folder = output.Read(arguments);
            using LoadedModel before = ModelArguments.Load(arguments.GetValue(model)!, Compute.Arithmetic.Exact, options.Workers);
            using LoadedModel after = ModelArguments.Load(arguments.GetValue(tuned)!, Compute.Arithmetic.Exact, options.Workers);
            var targets = RankTargets.Select(before.Transformer, policies.Targets(arguments));
            ExtractionResult result = await Terminal.ProgressAsync(
                arguments.InvocationConfiguration.Error,
                "Extracting",
                AdapterExtraction.StepCount(options, targets.Count),
                stepDone => Task.Run(() => AdapterExtraction.Run(before.Transformer, after.Transformer, targets, options, stepDone, cancellationToken), cancellationToken)).ConfigureAwait(false);
            PeftWriter.Write(folder, [.. result.Pairs.Select(pair => pair.Pair)], before.Transformer, before.Name);
            if (arguments.GetValue(json))
            {
                ExtractionReport.WriteJson(arguments.InvocationConfiguration.Output, folder, result);
            }
            else
            {
                ExtractionReport.Write(Terminal.Console(arguments.InvocationConfiguration.Output), folder, before.Transformer, result);
            }

            if (!result.Quality.IsAcceptable)
            {
                arguments.InvocationConfiguration.Error.WriteLine(
                    $"warning: the adapter misses {ExtractionReport.Percent(result.Quality.RelativeError)} of the change; below {ExtractionReport.Percent(RankQuality.Acceptable)} is good. Raise --rank or --max-rank, or use --policy quality.");
            }
        });
        return verb;
    }

    private static int Positive(string option, string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value > 0
            ? value
            : throw new UsageException($"{option} is '{text}'; expected a whole number from 1{(option == "--rank" ? ", or auto" : "")}.");
}
