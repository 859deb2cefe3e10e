using LoraServe.Torch.Native;
using Mono.Cecil;
using Mono.Cecil.Cil;

namespace LoraServe.Torch.Tests.Native;

/// <summary>Numbers that libtorch reads are kept alive meanwhile.</summary>
public sealed class ScalarCallsTests
{
    [Fact]
    public void Numbers_GoThroughScalarCalls()
    {
        using AssemblyDefinition assembly = AssemblyDefinition.ReadAssembly(typeof(TorchDevice).Assembly.Location);
        string[] uses =
        [
            .. from type in assembly.MainModule.GetTypes()
               where type.FullName != typeof(ScalarCalls).FullName
               from method in type.Methods
               where method.HasBody
               from instruction in method.Body.Instructions
               where instruction.OpCode.FlowControl == FlowControl.Call && instruction.Operand is MethodReference called
                   && (called.ReturnType.FullName == "TorchSharp.Scalar" || called.Parameters.Any(parameter => parameter.ParameterType.FullName == "TorchSharp.Scalar"))
               select $"{method.FullName} calls {((MethodReference)instruction.Operand).Name}",
        ];
        Assert.Empty(uses);
    }
}
