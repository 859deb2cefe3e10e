using System.Text.Json.Nodes;
using LoraServe.Adapters;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods;
using LoraServe.Adapters.Methods.Description;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Training.Options;

namespace LoraServe.Training.Methods;

/// <summary>What a job's method and settings come to.</summary>
/// <remarks>
/// Several names with <c>,</c> or <c>+</c> between them are adapters trained as one: <c>lora,prompt</c>. Each has a folder of its
/// name in the result, in the adapter to go on from, and in the job's <see cref="TrainingJobOptions.PeftConfig"/>.
/// </remarks>
public static class MethodCatalog
{
    private const int SeedsPerPart = 1_000_003;

    /// <summary>The methods of a job: one, or several that are trained as one.</summary>
    /// <param name="name">A method's name, or several.</param>
    /// <exception cref="TrainingOptionsException">There is no such method, or one is named twice.</exception>
    public static IReadOnlyList<MethodVariant> Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        MethodVariant[] methods = MethodTable.Find(name) is { } one ? [one] : [.. name.Split([',', '+'], StringSplitOptions.TrimEntries).Select(FindOne)];
        if (methods.Distinct().Count() != methods.Length)
        {
            throw new TrainingOptionsException($"method is {name}; expected each method once.");
        }

        if (methods.Length > 1 && methods.Any(method => method.MakesModel))
        {
            throw new TrainingOptionsException($"method is {name}; full fine-tuning leaves nothing for another method to train.");
        }

        return methods;
    }

    /// <summary>The highest learning rate of a job. Of methods trained as one it is the first's, and the others keep their usual proportion to it.</summary>
    /// <exception cref="TrainingOptionsException">There is no such method.</exception>
    public static double LearningRate(TrainingJobOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.LearningRate ?? Find(options.Method)[0].LearningRate;
    }

    /// <summary>Refuses, without taking long, what <see cref="Create(TrainingJobOptions, TrainableContext)"/> would refuse by settings and files' configurations.</summary>
    /// <param name="options">The job.</param>
    /// <param name="context">The base, and what else is to be known.</param>
    /// <exception cref="TrainingOptionsException">A setting does not fit the method or the base, or the adapter to go on from is of another method.</exception>
    public static void Check(TrainingJobOptions options, TrainableContext context)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(context);
        _ = Named(options, () => Parts(options).Select(part => part.Method.Configure(Settings(part, options, context))).ToArray());
    }

    /// <summary>Makes what a job trains, at its first values or those of the adapter that it goes on from.</summary>
    /// <param name="options">The job.</param>
    /// <param name="context">The base, and what else is to be known.</param>
    /// <exception cref="TrainingOptionsException">A setting does not fit the method or the base, or the adapter to go on from does not.</exception>
    public static TrainableAdapter Create(TrainingJobOptions options, TrainableContext context)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(context);
        return Named(options, () =>
        {
            Part[] parts = [.. Parts(options)];
            TrainableAdapter[] adapters = [.. parts.Select(part => Create(part, options, context))];
            if (parts.Length == 1)
            {
                return adapters[0];
            }

            foreach ((Part part, TrainableAdapter adapter) in parts.Zip(adapters))
            {
                foreach (Parameter parameter in adapter.Parameters)
                {
                    parameter.RateFactor *= (float)(part.Method.LearningRate / parts[0].Method.LearningRate);
                }
            }

            return new CombinedAdapter(context.Model, [.. parts.Zip(adapters, (part, adapter) => (part.Method.Name, adapter))]);
        });
    }

    /// <summary>Does something, and says of which method a refusal is.</summary>
    private static T Named<T>(TrainingJobOptions options, Func<T> make)
    {
        try
        {
            return make();
        }
        catch (AdapterFormatException wrong)
        {
            throw new TrainingOptionsException($"method {options.Method}: {wrong.Message}");
        }
    }

    private static IEnumerable<Part> Parts(TrainingJobOptions options)
    {
        IReadOnlyList<MethodVariant> methods = Find(options.Method);
        return methods.Count == 1
            ? [new Part(methods[0], options.PeftConfig, options.InitFrom, options.Seed)]
            : methods.Select((method, index) => new Part(
                method,
                options.PeftConfig?[method.Name] as JsonObject,
                options.InitFrom is { } folder ? Path.Combine(folder, method.Name) : null,
                options.Seed + (index * SeedsPerPart)));
    }

    private static MethodVariant FindOne(string name) => MethodTable.Find(name)
        ?? throw new TrainingOptionsException($"method is {name}; expected {string.Join(", ", MethodTable.Variants.Select(method => method.Name))}, or several with commas between them.");

    private static TrainableAdapter Create(Part part, TrainingJobOptions options, TrainableContext context) => part.Method.Create(
        Settings(part, options, context),
        new TrainableOptions
        {
            Seed = part.Seed,
            RateRatioOfB = (float)(options.RateRatioOfB ?? part.Method.RateRatioOfB),
            PromptTokens = PromptTokens(options, context),
            Gates = options.Gates,
        });

    private static MethodSettings Settings(Part part, TrainingJobOptions options, TrainableContext context) => new()
    {
        Model = context.Model,
        BaseName = context.BaseName,
        Rank = options.Rank,
        Alpha = options.Alpha,
        Targets = options.Targets,
        VirtualTokens = options.VirtualTokens,
        PromptText = options.PromptText,
        Seed = options.Seed,
        TotalSteps = context.TotalSteps,
        Fields = part.PeftConfig,
        GoesOnFrom = part.InitFrom,
    };

    private static int[] PromptTokens(TrainingJobOptions options, TrainableContext context)
    {
        if (options.PromptText is not { Length: > 0 } text)
        {
            return [];
        }

        return context.Tokenize is { } tokenize
            ? [.. tokenize(text)]
            : throw new TrainingOptionsException("there is a prompt text, and the model has no tokenizer to read it with; leave it out.");
    }

    /// <summary>One of the methods of a job.</summary>
    /// <param name="Method">The method.</param>
    /// <param name="PeftConfig">Fields of its configuration that the job gives.</param>
    /// <param name="InitFrom">Folder of the adapter that it goes on from; null for none.</param>
    /// <param name="Seed">What its first values are drawn from.</param>
    private sealed record Part(MethodVariant Method, JsonObject? PeftConfig, string? InitFrom, int Seed);
}
