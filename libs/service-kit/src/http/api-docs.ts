/** `/docs` for people, `/docs-json` for tools: OpenAPI made from the routes and their schemas. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';

export interface ApiDescription {
  readonly title: string;
  readonly description: string;
  readonly version: string;
}

/** @param withPage  false = `/docs-json` only: the page's files are served by a package that specs can't load */
export const serveDocs = (app: NestFastifyApplication, api: ApiDescription, withPage: boolean): void => {
  const config = new DocumentBuilder().setTitle(api.title).setDescription(api.description).setVersion(api.version).addBearerAuth().build();
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, config), {
    jsonDocumentUrl: 'docs-json',
    ui: withPage,
    customSiteTitle: api.title,
    raw: ['json'],
  });
};
