using System.Numerics;
using LoraServe.Templates.Runtime;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Python;

/// <summary>The methods of Python's strings, dicts, lists and tuples; the ones that change their object are forbidden.</summary>
internal static class Methods
{
    private static readonly Dictionary<string, NativeFunction> s_dict = BuildDict();
    private static readonly Dictionary<string, NativeFunction> s_sequence = BuildSequence();
    private static readonly Dictionary<string, NativeFunction> s_number = new()
    {
        ["is_integer"] = new("is_integer", "self", (_, a) => a[0] is not double d || Math.Floor(d) == d),
        ["bit_length"] = new("bit_length", "self", (_, a) => Numbers.TryInteger(a[0], out BigInteger i)
            ? (long)BigInteger.Abs(i).GetBitLength()
            : throw new EvaluationError("'float' object has no attribute 'bit_length'")),
    };

    private static readonly string[] s_listMutators = ["append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"];
    private static readonly string[] s_dictMutators = ["clear", "pop", "popitem", "setdefault", "update"];

    public static NativeFunction? Find(object? target, string name)
    {
        Dictionary<string, NativeFunction>? methods = target switch
        {
            string or Markup => StringMethods.All,
            DictValue => s_dict,
            SequenceValue or RangeValue => s_sequence,
            long or double or BigInteger => s_number,
            _ => null,
        };
        return methods?.GetValueOrDefault(name);
    }

    public static bool IsMutating(object? target, string name) => target switch
    {
        ListValue => s_listMutators.Contains(name),
        DictValue => s_dictMutators.Contains(name),
        _ => false,
    };

    private static Dictionary<string, NativeFunction> BuildDict()
    {
        Dictionary<string, NativeFunction> methods = [];
        Add("get", "self key default?", (_, a) => Self(a).TryGet(a[1], out object? value) ? value : a[2]);
        Add("keys", "self", (_, a) => new DictView("dict_keys", Self(a), dict => dict.Keys));
        Add("values", "self", (_, a) => new DictView("dict_values", Self(a), dict => dict.Values));
        Add("items", "self", (_, a) => new DictView("dict_items", Self(a), Pairs));
        Add("copy", "self", (_, a) => Self(a));
        return methods;

        void Add(string name, string signature, Func<RenderState, Arguments, object?> body) =>
            methods.Add(name, new NativeFunction(name, signature, body));

        static DictValue Self(Arguments a) => (DictValue)a[0]!;
    }

    /// <summary>A dict's items as tuples.</summary>
    public static IEnumerable<object?> Pairs(DictValue dict) => dict.Items.Select(item => new TupleValue([item.Key, item.Value]));

    private static Dictionary<string, NativeFunction> BuildSequence()
    {
        Dictionary<string, NativeFunction> methods = [];
        Add("count", "self value", (state, a) => (long)state.Iterate(a[0]).Count(item => ValueEquality.AreEqual(item, a[1])));
        Add("index", "self value", (state, a) =>
        {
            int index = state.Iterate(a[0]).ToList().FindIndex(item => ValueEquality.AreEqual(item, a[1]));
            return index >= 0 ? (long)index : throw new EvaluationError($"{Printer.ShortRepr(a[1])} is not in {TypeName.Of(a[0])}");
        });
        Add("copy", "self", (_, a) => a[0]);
        return methods;

        void Add(string name, string signature, Func<RenderState, Arguments, object?> body) =>
            methods.Add(name, new NativeFunction(name, signature, body));
    }
}
