using System.Globalization;
using LoraServe.Adapters.Methods.Description;
using LoraServe.Training.Methods;

namespace LoraServe.Studio.Studies;

/// <summary>A method that a study trains, at one size.</summary>
/// <param name="Name">Its usual name; of several that are trained as one, with + between.</param>
/// <param name="Size">Rank, width of bottlenecks or number of virtual tokens; null where the method has none, or its own was asked for.</param>
public sealed record StudyMethod(string Name, int? Size)
{
    /// <summary>What is compared where nothing is said, but for full fine-tuning.</summary>
    public const string Usual = "lora:2,lora:8,lora:32,loraplus,dora,vera,adalora,houlsby,prompt,prefix";

    /// <summary>Training every parameter, which the others are compared with.</summary>
    public const string Full = "full";

    private static readonly string[] s_virtual = ["prompt", "p-tuning", "prefix", "prefix-projection"];

    /// <summary>Whether the size is a number of virtual tokens.</summary>
    public bool HasVirtualTokens => s_virtual.Contains(Name);

    /// <summary>Whether there is a size to choose.</summary>
    public bool HasSize => HasVirtualTokens || MethodCatalog.Find(Name).Any(one => one.Rank is not null);

    /// <summary>What tables call it, such as <c>lora 8</c>.</summary>
    public string Label => Size is { } size ? string.Create(CultureInfo.InvariantCulture, $"{Name} {size}") : Name;

    /// <summary>A method at its own size.</summary>
    /// <param name="name">As <see cref="MethodCatalog"/> knows it; several that are trained as one with + between.</param>
    /// <exception cref="LoraServe.Training.Options.TrainingOptionsException">There is no such method.</exception>
    public static StudyMethod Of(string name)
    {
        IReadOnlyList<MethodVariant> methods = MethodCatalog.Find(name);
        return new StudyMethod(string.Join('+', methods.Select(one => one.Name)), methods.Count == 1 ? methods[0].Rank : null);
    }
}
