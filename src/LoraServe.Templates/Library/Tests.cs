using System.Numerics;
using LoraServe.Templates.Python;
using LoraServe.Templates.Runtime;
using LoraServe.Templates.Text;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Library;

/// <summary>What can stand behind <c>is</c>.</summary>
internal static class Tests
{
    private static readonly Dictionary<string, NativeFunction> s_tests = Build();

    public static bool Exists(string name) => s_tests.ContainsKey(name);

    public static NativeFunction Get(string name) =>
        s_tests.TryGetValue(name, out NativeFunction? test) ? test : throw new EvaluationError($"No test named '{name}'.");

    private static Dictionary<string, NativeFunction> Build()
    {
        Dictionary<string, NativeFunction> tests = [];
        Is("defined", value => value is not Undefined);
        Is("undefined", value => value is Undefined);
        Is("none", value => value is null);
        Is("boolean", value => value is bool);
        Is("true", value => value is true);
        Is("false", value => value is false);
        Is("integer", value => value is long or BigInteger);
        Is("float", value => value is double);
        Is("number", Numbers.IsNumber);
        Is("string", value => value is string or Markup);
        Is("mapping", value => value is DictValue);
        Is("sequence", value => value is string or Markup or SequenceValue or DictValue or RangeValue or Undefined);
        Is("iterable", value => value is string or Markup or Container or RangeValue or Generator or DictView or Undefined);
        Is("callable", value => value is ICallable or Undefined);
        Is("escaped", value => value is Markup);
        Is("odd", value => Remainder(value, 2L) is 1L or 1.0);
        Is("even", value => Remainder(value, 2L) is 0L or 0.0);
        Add("divisibleby", "value num", (_, a) => Remainder(a[0], a[1]) is 0L or 0.0);
        Add("sameas", "value other", (_, a) => IsSame(a[0], a[1]));
        Add("lower", "value", (state, a) => Casing.IsCase(state.ToText(a[0]), Casing.IsLower, Casing.IsUpper));
        Add("upper", "value", (state, a) => Casing.IsCase(state.ToText(a[0]), Casing.IsUpper, Casing.IsLower));
        Add("filter", "value", (state, a) => Filters.Exists(state.ToText(a[0])));
        Add("test", "value", (state, a) => Exists(state.ToText(a[0])));
        Compares("==", "eq", "equalto", "==");
        Compares("!=", "ne", "!=");
        Compares("<", "lt", "lessthan", "<");
        Compares("<=", "le", "<=");
        Compares(">", "gt", "greaterthan", ">");
        Compares(">=", "ge", ">=");
        Compares("in", "in");
        return tests;

        void Add(string name, string signature, Func<RenderState, Arguments, object?> body) =>
            tests.Add(name, new NativeFunction(name, signature, body));

        void Is(string name, Func<object?, bool> test) => Add(name, "value", (_, a) => test(a[0]));

        void Compares(string symbol, params ReadOnlySpan<string> names)
        {
            foreach (string name in names)
            {
                Add(name, "value other", (state, a) => Operators.Compare(state, symbol, a[0], a[1]));
            }
        }
    }

    private static object Remainder(object? value, object? divisor)
    {
        if ((value as Undefined ?? divisor as Undefined) is { } undefined)
        {
            throw undefined.Error();
        }

        return Numbers.IsNumber(value) && Numbers.IsNumber(divisor)
            ? Numbers.Apply("%", value!, divisor!)
            : throw new EvaluationError($"unsupported operand type(s) for %: '{TypeName.Of(value)}' and '{TypeName.Of(divisor)}'");
    }

    private static bool IsSame(object? left, object? right) =>
        ReferenceEquals(left, right)
        || (left is not Container && left is not null && right is not null && left.GetType() == right.GetType() && ValueEquality.AreEqual(left, right));
}
