using System.Text.Json.Nodes;

namespace LoraServe.Adapters.Methods.Description;

/// <summary>What is wanted of an adapter that is to be trained; what is not given is what the method usually has.</summary>
public sealed record MethodSettings
{
    /// <summary>The base.</summary>
    public required IBaseModel Model { get; init; }

    /// <summary>What the adapter's files say they are made for; null for nothing.</summary>
    public string? BaseName { get; init; }

    /// <summary>Rank of updates, or width of bottlenecks.</summary>
    public int? Rank { get; init; }

    /// <summary>Numerator of the update's scale.</summary>
    public double? Alpha { get; init; }

    /// <summary>Names of the modules that are adapted, or <c>all-linear</c>.</summary>
    public IReadOnlyList<string> Targets { get; init; } = [];

    /// <summary>Rows ahead of the prompt.</summary>
    public int? VirtualTokens { get; init; }

    /// <summary>Text that prompt tuning begins with.</summary>
    public string? PromptText { get; init; }

    /// <summary>What is drawn again wherever the files are loaded, is drawn from this.</summary>
    public int Seed { get; init; }

    /// <summary>Steps of the run: AdaLoRA's schedule spans them.</summary>
    public int TotalSteps { get; init; } = 1;

    /// <summary>Fields of the configuration that go before what the settings say.</summary>
    public JsonObject? Fields { get; init; }

    /// <summary>Folder of the adapter to go on from.</summary>
    public string? GoesOnFrom { get; init; }
}
