using LoraServe.Torch.Native;
using Mono.Cecil;
using Mono.Cecil.Cil;
using TorchSharp;

namespace LoraServe.Torch.Tests.Native;

/// <summary>Numbers that libtorch reads are kept alive meanwhile.</summary>
public sealed class ScalarCallsTests
{
    private const string Number = "TorchSharp.Scalar";

    [Fact]
    public void Numbers_GoThroughScalarCalls()
    {
        using AssemblyDefinition assembly = AssemblyDefinition.ReadAssembly(typeof(TorchDevice).Assembly.Location);
        string[] uses =
        [
            .. from method in MethodsOf(assembly)
               where method.DeclaringType.FullName != typeof(ScalarCalls).FullName
               from called in CallsOf(method)
               where called.ReturnType.FullName == Number || called.Parameters.Any(parameter => parameter.ParameterType.FullName == Number)
               select $"{method.FullName} calls {called.Name}",
        ];
        Assert.True(uses.Length == 0, string.Join('\n', uses));
    }

    /// <summary>The square of a tensor, say, is TorchSharp's own power with a number that nobody holds.</summary>
    [Fact]
    public void Operations_MakeNoNumberOfTheirOwn()
    {
        using AssemblyDefinition assembly = AssemblyDefinition.ReadAssembly(typeof(TorchDevice).Assembly.Location);
        using AssemblyDefinition binding = AssemblyDefinition.ReadAssembly(typeof(torch).Assembly.Location);
        Dictionary<string, MethodDefinition> known = MethodsOf(binding).ToDictionary(method => method.FullName);
        Dictionary<string, bool> makes = [];
        string[] uses =
        [
            .. from method in MethodsOf(assembly)
               from called in CallsOf(method)
               where MakesNumber(called.GetElementMethod().FullName)
               select $"{method.FullName} calls {called.FullName}",
        ];
        Assert.Contains(known.Values, method => method.Name == "square" && MakesNumber(method.FullName));
        Assert.True(uses.Length == 0, string.Join('\n', uses));

        bool MakesNumber(string name)
        {
            if (makes.TryGetValue(name, out bool answer) || !known.TryGetValue(name, out MethodDefinition? method))
            {
                return answer;
            }

            makes[name] = false;
            return makes[name] = CallsOf(method).Any(called => called is { Name: "op_Implicit", ReturnType.FullName: Number } || MakesNumber(called.GetElementMethod().FullName));
        }
    }

    private static IEnumerable<MethodDefinition> MethodsOf(AssemblyDefinition assembly) =>
        assembly.MainModule.GetTypes().SelectMany(type => type.Methods).Where(method => method.HasBody);

    private static IEnumerable<MethodReference> CallsOf(MethodDefinition method) =>
        from instruction in method.Body.Instructions
        where instruction.OpCode.FlowControl == FlowControl.Call && instruction.Operand is MethodReference
        select (MethodReference)instruction.Operand;
}
