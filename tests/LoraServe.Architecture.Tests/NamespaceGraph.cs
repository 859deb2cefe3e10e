using Mono.Cecil;
using Mono.Cecil.Cil;

namespace LoraServe.Architecture.Tests;

/// <summary>Which namespaces of an assembly use which others of it, read from what was compiled: bases, fields, signatures, attributes and bodies.</summary>
/// <remarks>A nested type counts where its outermost type lies. What the compiler takes over as a value, a constant, leaves no trace.</remarks>
internal sealed class NamespaceGraph
{
    private readonly Dictionary<(string From, string To), SortedSet<string>> _uses = [];

    /// <summary>The graph of a module.</summary>
    public NamespaceGraph(ModuleDefinition module)
    {
        foreach (TypeDefinition type in module.GetTypes().Where(type => IsOurs(Outermost(type))))
        {
            string from = Outermost(type).Namespace;
            foreach (TypeReference used in Used(type).SelectMany(Parts).Where(used => used.Scope == module).Select(Outermost).Where(IsOurs))
            {
                if (used.Namespace != from)
                {
                    (_uses.TryGetValue((from, used.Namespace), out SortedSet<string>? places) ? places : _uses[(from, used.Namespace)] = new(StringComparer.Ordinal))
                        .Add($"{Outermost(type).Name} uses {used.Name}");
                }
            }
        }
    }

    public static NamespaceGraph Of(string assemblyFile)
    {
        using var module = ModuleDefinition.ReadModule(assemblyFile);
        return new NamespaceGraph(module);
    }

    /// <summary>Every use that is part of a circle, with the types that make it.</summary>
    public IEnumerable<string> Circles() =>
        from use in _uses.Keys
        where IsReached(use.To, use.From)
        orderby use.From, use.To
        select $"{use.From} → {use.To}: {string.Join(", ", _uses[use].Take(4))}{(_uses[use].Count > 4 ? $" and {_uses[use].Count - 4} more" : "")}";

    private bool IsReached(string from, string to)
    {
        HashSet<string> reached = [from];
        Stack<string> open = new(reached);
        while (open.TryPop(out string? space) && space != to)
        {
            foreach ((_, string next) in _uses.Keys.Where(use => use.From == space && reached.Add(use.To)))
            {
                open.Push(next);
            }
        }

        return reached.Contains(to);
    }

    private static bool IsOurs(TypeReference type) => type.Namespace.StartsWith("LoraServe", StringComparison.Ordinal);

    private static TypeReference Outermost(TypeReference type) => type.DeclaringType is { } outer ? Outermost(outer) : type;

    /// <summary>What a type names; a method that it calls is named by the type that has it, and not by what it takes and gives.</summary>
    private static IEnumerable<TypeReference?> Used(TypeDefinition type) =>
    [
        type.BaseType,
        .. type.Interfaces.Select(contract => contract.InterfaceType),
        .. Constraints(type),
        .. Attributes(type),
        .. type.Fields.SelectMany(field => Attributes(field).Append(field.FieldType)),
        .. type.Properties.SelectMany(Attributes),
        .. type.Methods.SelectMany(Used),
    ];

    private static IEnumerable<TypeReference?> Used(MethodDefinition method) =>
    [
        method.ReturnType,
        .. method.Parameters.Select(parameter => parameter.ParameterType),
        .. Constraints(method),
        .. Attributes(method),
        .. method.HasBody ? Used(method.Body) : [],
    ];

    private static IEnumerable<TypeReference?> Used(MethodBody body) =>
    [
        .. body.Variables.Select(variable => variable.VariableType),
        .. body.ExceptionHandlers.Select(handler => handler.CatchType),
        .. body.Instructions.SelectMany(instruction => Named(instruction.Operand)),
    ];

    private static IEnumerable<TypeReference?> Named(object? operand) => operand switch
    {
        TypeReference type => [type],
        GenericInstanceMethod method => [method.DeclaringType, .. method.GenericArguments],
        MemberReference member => [member.DeclaringType],
        _ => [],
    };

    private static IEnumerable<TypeReference> Constraints(IGenericParameterProvider provider) =>
        provider.GenericParameters.SelectMany(parameter => parameter.Constraints).Select(constraint => constraint.ConstraintType);

    private static IEnumerable<TypeReference> Attributes(ICustomAttributeProvider provider) => provider.CustomAttributes.Select(attribute => attribute.AttributeType);

    /// <summary>A type without what wraps it, and the arguments of a generic one.</summary>
    private static IEnumerable<TypeReference> Parts(TypeReference? type) => type switch
    {
        null or GenericParameter => [],
        GenericInstanceType generic => generic.GenericArguments.SelectMany(Parts).Append(generic.ElementType),
        FunctionPointerType pointer => pointer.Parameters.Select(parameter => parameter.ParameterType).Append(pointer.ReturnType).SelectMany(Parts),
        TypeSpecification wrapped => Parts(wrapped.ElementType),
        _ => [type],
    };
}
