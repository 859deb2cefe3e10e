using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Merging;
using LoraServe.Adapters.Methods;
using LoraServe.Adapters.Methods.Description;
using LoraServe.Testing;
using LoraServe.Testing.Plain;

namespace LoraServe.Adapters.Tests.Methods;

/// <summary>What README says of methods is what their adapters do.</summary>
public sealed class ReadmeTests
{
    private const string Yes = "yes";

    // Made of several folders: built by tests of their own, and neither merged nor converted, which these check.
    private const string Mixture = "XLORA";

    [Fact]
    public void Methods_AreThoseOfTheTable() => ReadmeTable.Check(
        "methods",
        ["peft_type", "serve", "train", "merge", "convert"],
        MethodTable.Readable.OrderBy(method => method.Type, StringComparer.Ordinal).Select(Line));

    private static string[] Line(Method method)
    {
        string[] names = [.. MethodTable.Variants.Where(variant => variant.Method.Type == method.Type).Select(variant => $"`{variant.Name}`")];
        string train = names.Length == 0 ? "no: served only" : string.Join(", ", names);
        if (method.Type == Mixture)
        {
            return [$"`{method.Type}`", Yes, train, "no: it scales itself by each token", "no: it scales itself by each token"];
        }

        PlainModel model = AdapterBuilder.TinyBase;
        Adapter adapter = Sample(method.Type!, model).Load();
        return [$"`{method.Type}`", Yes, train, Merge(model, adapter), Convert(model, adapter)];
    }

    private static AdapterBuilder Sample(string type, PlainModel model)
    {
        if (type == "LORA")
        {
            var builder = new AdapterBuilder();
            foreach (BaseModule module in model.Modules.Where(module => module.Name is "q_proj" or "v_proj"))
            {
                builder.AddPair(module, rank: 2);
            }

            return builder;
        }

        string name = MethodAdapters.Mergeable.Concat(MethodAdapters.Unmergeable).FirstOrDefault(name => (string?)MethodAdapters.Build(name).Config["peft_type"] == type)
            ?? (type == "BOTTLENECK" ? MethodAdapters.Bottleneck : type);
        return MethodAdapters.Build(name);
    }

    private static string Merge(PlainModel model, Adapter adapter)
    {
        try
        {
            MergedModel.Create(model, adapter);
            return Yes;
        }
        catch (MergeException)
        {
            return $"no: {Kinds(adapter, edit => edit is not (ModuleEdit or NormDelta) or BiasDelta).Replace("biases", "biases, where the base has none", StringComparison.Ordinal)}";
        }
    }

    // To plain LoRA, as PEFT's files and as GGUF.
    private static string Convert(PlainModel model, Adapter adapter)
    {
        try
        {
            AdapterCombination.Combine([new WeightedAdapter(adapter, 1)], model, new CombinationOptions { Method = CombinationMethod.Concatenation });
            return Yes;
        }
        catch (MergeException)
        {
            return $"no: {Kinds(adapter, edit => edit is not (LowRank or SharedLowRank))}";
        }
    }

    private static string Kinds(Adapter adapter, Func<AdapterEdit, bool> which) => string.Join(", ", adapter.Edits.Where(which).Select(Named).Distinct());

    private static string Named(AdapterEdit edit) => edit switch
    {
        BiasDelta => "biases",
        VirtualTokens => "rows ahead of the prompt",
        PrefixKeyValue => "keys and values ahead of the prompt",
        PromptAttention => "keys and values beside the sequence's",
        Bottleneck => "a function of its own",
        DenseDelta => "a change of full rank",
        RowsDelta => "rows of the table",
        InputScale or OutputScale => "factors of activations",
        InputRotation or OutputRotation => "a rotation",
        NormDelta or NormReplacement => "norms",
        WeightReplacement => "whole parameters",
        LowRank or SharedLowRank => "a pair with more to it",
        _ => throw new ArgumentOutOfRangeException(nameof(edit), edit, "has no name here"),
    };
}
