using System.Numerics;

namespace LoraServe.Templates.Values;

/// <summary>What counts as true, as in Python: what is there and is neither zero nor empty.</summary>
internal static class Truth
{
    public static bool Of(object? value) => value switch
    {
        null or Undefined => false,
        bool flag => flag,
        long number => number != 0,
        BigInteger number => !number.IsZero,
        double number => number != 0,
        string text => text.Length > 0,
        Markup markup => markup.Text.Length > 0,
        SequenceValue sequence => sequence.Items.Count > 0,
        DictValue dict => dict.Count > 0,
        DictView view => view.Count > 0,
        RangeValue range => range.Count > 0,
        _ => true,
    };
}
