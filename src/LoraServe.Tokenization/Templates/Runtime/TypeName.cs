using System.Numerics;

namespace LoraServe.Tokenization.Templates;

/// <summary>What Python calls the type of a value; error messages name it.</summary>
internal static class TypeName
{
    public static string Of(object? value) => value switch
    {
        null => "NoneType",
        bool => "bool",
        long or BigInteger => "int",
        double => "float",
        string => "str",
        Markup => "Markup",
        ListValue => "list",
        GroupValue => "_GroupTuple",
        TupleValue => "tuple",
        DictValue => "dict",
        RangeValue => "range",
        Generator generator => generator.TypeName,
        DictView view => view.TypeName,
        Undefined => "Undefined",
        NamespaceValue => "Namespace",
        MacroValue => "Macro",
        LoopValue => "LoopContext",
        CyclerValue => "Cycler",
        JoinerValue => "Joiner",
        BoundMethod => "builtin_function_or_method",
        SelfValue => "TemplateReference",
        _ => "function",
    };

    /// <summary>How the message of an undefined attribute names the object.</summary>
    public static string OfObject(object? value) => value is null ? "None" : $"{Of(value)} object";
}
