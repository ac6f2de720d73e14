"use strict";

// Relative addresses: the page lies under the stage, if there is one.
window.ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayOperationId: true,
  tryItOutEnabled: true,
  // A token lives in this page only.
  persistAuthorization: false,
  // The default asks a validator on another host.
  validatorUrl: null,
});
