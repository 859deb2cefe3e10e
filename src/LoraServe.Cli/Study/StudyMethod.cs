using System.Globalization;
using LoraServe.Adapters.Methods.Description;
using LoraServe.Training.Methods;

namespace LoraServe.Cli.Study;

/// <summary>A method that a study trains, at one size.</summary>
/// <param name="Name">Its usual name; of several that are trained as one, with + between.</param>
/// <param name="Size">Rank, width of bottlenecks or number of virtual tokens; null where the method has none, or its own was asked for.</param>
internal sealed record StudyMethod(string Name, int? Size)
{
    /// <summary>What is compared where nothing is said, but for full fine-tuning.</summary>
    public const string Usual = "lora:2,lora:8,lora:32,loraplus,dora,vera,adalora,houlsby,prompt,prefix";

    /// <summary>Training every parameter, which the others are compared with.</summary>
    public const string Full = "full";

    private static readonly string[] s_virtual = ["prompt", "p-tuning", "prefix", "prefix-projection"];

    /// <summary>Whether the size is a number of virtual tokens.</summary>
    public bool HasVirtualTokens => s_virtual.Contains(Name);

    /// <summary>What tables call it, such as <c>lora 8</c>.</summary>
    public string Label => Size is { } size ? string.Create(CultureInfo.InvariantCulture, $"{Name} {size}") : Name;

    /// <summary>Reads methods with commas between, each <c>NAME</c> or <c>NAME:SIZE</c>.</summary>
    /// <exception cref="UsageException">One has not that form, or comes twice.</exception>
    /// <exception cref="LoraServe.Training.TrainingOptionsException">There is no such method.</exception>
    public static StudyMethod[] ParseAll(string text)
    {
        StudyMethod[] all = [.. text.Split(',', StringSplitOptions.TrimEntries).Select(Parse)];
        StudyMethod? twice = all.GroupBy(method => method).FirstOrDefault(same => same.Count() > 1)?.Key;
        return twice is null ? all : throw new UsageException($"--methods has {twice.Label} more than once; name each method and size once.");
    }

    private static StudyMethod Parse(string text)
    {
        int colon = text.LastIndexOf(':');
        IReadOnlyList<MethodVariant> methods = MethodCatalog.Find(colon < 0 ? text : text[..colon]);
        var method = new StudyMethod(string.Join('+', methods.Select(one => one.Name)), methods.Count == 1 ? methods[0].Rank : null);
        if (colon < 0)
        {
            return method;
        }

        if (!int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int size) || size < 1)
        {
            throw new UsageException($"--methods has {text}; expected NAME or NAME:SIZE, such as lora:16.");
        }

        return method.HasVirtualTokens || methods.Any(one => one.Rank is not null)
            ? method with { Size = size }
            : throw new UsageException($"--methods has {text}, and {method.Name} has neither rank, width nor virtual tokens; name it without a number.");
    }
}
