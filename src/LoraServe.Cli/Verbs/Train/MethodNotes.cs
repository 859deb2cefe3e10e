using System.Text;
using LoraServe.Adapters.Methods;
using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Cli.Verbs.Train;

/// <summary>The methods as <c>loraserve train --help</c> lists them, by kind.</summary>
internal static class MethodNotes
{
    public static string Text()
    {
        var text = new StringBuilder("Methods, several of them with commas between:\n");
        foreach (IGrouping<MethodKind, MethodVariant> kind in MethodTable.Variants.GroupBy(method => method.Kind).OrderBy(kind => kind.Key))
        {
            text.Append($"  {Describe(kind.Key)}\n");
            foreach (MethodVariant method in kind)
            {
                text.Append($"    {method.Name,-18}{method.Description}\n");
            }
        }

        return text.ToString();
    }

    private static string Describe(MethodKind kind) => kind switch
    {
        MethodKind.LowRank => "low-rank updates of linear maps",
        MethodKind.OtherUpdate => "other products and few numbers",
        MethodKind.Rotation => "rotations and reflections of inputs",
        MethodKind.Vector => "factors, biases and norms",
        MethodKind.Bottleneck => "bottlenecks",
        MethodKind.VirtualRows => "rows ahead of the prompt, or beside it",
        _ => "the whole model",
    };
}
